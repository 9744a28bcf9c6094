"""Registries of mmcico: children of MMDetection's.

Configs keep ``default_scope = 'mmdet'`` and write own types with their scope,
``type='mmcico.CiCoHead'``; MMDetection's types stay bare.  MMEngine imports
this module and the ``locations`` by itself when it meets such a type.
"""

from mmdet.registry import DATA_SAMPLERS as MMDET_DATA_SAMPLERS
from mmdet.registry import DATASETS as MMDET_DATASETS
from mmdet.registry import HOOKS as MMDET_HOOKS
from mmdet.registry import METRICS as MMDET_METRICS
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS
from mmdet.registry import WEIGHT_INITIALIZERS as MMDET_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

MODELS = Registry('model', parent=MMDET_MODELS, scope='mmcico', locations=['mmcico.models'])
TASK_UTILS = Registry(
    'task util', parent=MMDET_TASK_UTILS, scope='mmcico', locations=['mmcico.models']
)
DATASETS = Registry(
    'dataset', parent=MMDET_DATASETS, scope='mmcico', locations=['mmcico.datasets.vis_dataset']
)
DATA_SAMPLERS = Registry(
    'data sampler',
    parent=MMDET_DATA_SAMPLERS,
    scope='mmcico',
    locations=['mmcico.datasets.samplers'],
)
TRANSFORMS = Registry(
    'transform', parent=MMDET_TRANSFORMS, scope='mmcico', locations=['mmcico.datasets.transforms']
)
METRICS = Registry(
    'metric', parent=MMDET_METRICS, scope='mmcico', locations=['mmcico.evaluation.vis_metric']
)
HOOKS = Registry('hook', parent=MMDET_HOOKS, scope='mmcico', locations=['mmcico.engine'])
WEIGHT_INITIALIZERS = Registry(
    'weight initializer',
    parent=MMDET_WEIGHT_INITIALIZERS,
    scope='mmcico',
    locations=['mmcico.checkpoints'],
)
