"""Registries of mmcico: children of MMDetection's and MMEngine's.

Configs keep ``default_scope = 'mmdet'`` and write our types with their scope, such as
``type='mmcico.CiCoHead'``; types of MMDetection stay bare. MMEngine imports this module and the
``locations`` when it meets such a type. The import also prepares the packages below mmcico.
"""

import importlib
from typing import Any

from mmcico.compat import check_packages

check_packages()
parents = importlib.import_module('mmdet.registry')
root = importlib.import_module('mmengine.registry')
Registry = root.Registry


def _child(name: str, *locations: str) -> Any:
    """Return the child of a registry of MMDetection, or of MMEngine where MMDetection has none."""
    parent = getattr(parents, name, getattr(root, name))  # an empty registry is false
    # MMEngine does not import the locations of a parent when it looks a type up there
    modules = [*(f'mmcico.{each}' for each in locations), *parent._locations]
    modules = modules or ['mmcico.registry']
    return Registry(parent.name, parent=parent, scope='mmcico', locations=modules)


def class_of(registry: Any, kind: Any) -> Any:
    """Return what a type of a config names in a registry, None if it is not there."""
    return registry.get(kind) if isinstance(kind, str) else kind


MODELS = _child('MODELS', 'models')
TASK_UTILS = _child('TASK_UTILS', 'models')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS', 'checkpoints')
DATASETS = _child('DATASETS', 'datasets.vis_dataset')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'datasets.samplers')
TRANSFORMS = _child('TRANSFORMS', 'datasets.transforms')
METRICS = _child('METRICS', 'evaluation.vis_metric')
HOOKS = _child('HOOKS', 'engine')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'engine')
# mmcico registers nothing in the following; a config with ``_base_ = 'mmcico::...'`` needs them,
# since MMEngine looks up each of its types in the scope of the base
EVALUATOR = _child('EVALUATOR')
INFERENCERS = _child('INFERENCERS')
LOG_PROCESSORS = _child('LOG_PROCESSORS')
LOOPS = _child('LOOPS')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS')
OPTIMIZERS = _child('OPTIMIZERS')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS')
RUNNERS = _child('RUNNERS')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS')
STRATEGIES = _child('STRATEGIES')
VISBACKENDS = _child('VISBACKENDS')
VISUALIZERS = _child('VISUALIZERS')
