"""Models by name or path: their config, their weights, and what runs their network."""

from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

from mmcico.compat.embedded_config import checked_config, parse_config

import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmengine.runner.checkpoint import _load_checkpoint

import mmcico
from mmcico.deployment import onnx_files
from mmcico.deployment.options import compile_model
from mmcico.deployment.precision import precision_name, set_precision
from mmcico.formats.categories import VERSIONS
from mmcico.models.vis.cico import CiCo
from mmcico.registry import MODELS, class_of
from mmcico.utils.launch import read_config
from mmcico.utils.package_files import known_models

#: clips of a file that CUDA gets at once; small batches keep it waiting for the CPU
BATCH_SIZE = 4
BACKENDS = ('pytorch', 'onnx')
#: weights of the package, which know a single class; docs/en/any_object.md says how they were made
ANY_OBJECT = Path(mmcico.__file__).parent / 'weights' / 'any_object.pth'
ANY_OBJECT_NOTE = (
    'There are no --weights, so the small model of the package runs. It has the single class '
    '"object", finds things by their motion, not what stands still, and was trained on generated '
    'video alone: its AP50 is 0.860 on generated videos and 0.373 on ten real ones (DAVIS), none '
    'of which it was trained on. "mmcico finetune" trains a model for your own videos; the page '
    '"The model of the package" of the documents tells more.'
)


def runs_any_object(model: Any, weights: str | None, backend: str | None = None) -> bool:
    """Return whether neither a model nor weights are given, so that the package's own run."""
    return model is None and weights is None and backend != 'onnx'


def find_model(name: str) -> tuple[Config, str | None]:
    """Return the config of a model, see :func:`find_config`, and the model index's weights of it.

    Raises:
        FileNotFoundError: If there is no such config.
    """
    weights = known_models().get(name, {}).get('Weights')
    return read_config(name), weights[0] if isinstance(weights, list) else weights


def config_of(weights: str, backend: str = 'pytorch') -> Config:
    """Return the config in an ONNX file, or in a checkpoint of MMEngine, given by path or URL.

    Raises:
        ValueError: If it has no config, or cannot be read.
    """
    if backend == 'onnx':
        props = onnx_files.open_session(weights).get_modelmeta().custom_metadata_map
        info = onnx_files.OnnxInfo.from_props(props, weights)
        if info.cfg is None:
            raise ValueError(f'"{weights}" holds no config; give model=CONFIG')
        return checked_config(info.cfg, weights)
    return config_in(read_checkpoint(weights), weights)


def read_checkpoint(weights: str) -> Mapping[str, Any]:
    """Load a checkpoint, given by path or URL.

    Raises:
        ValueError: If it cannot be read, or is no dict.
    """
    content = _load_checkpoint(weights, map_location='cpu', logger='silent')
    return check_checkpoint(content, weights)


def config_in(checkpoint: Mapping[str, Any], weights: str) -> Config:
    """Return the config in a checkpoint of MMEngine; ``weights`` names it in messages.

    Raises:
        ValueError: If it has no config.
    """
    hub = (checkpoint.get('message_hub') or {}).get('runtime_info') or {}
    text = hub.get('cfg') or (checkpoint.get('meta') or {}).get('cfg')
    if not text:
        raise ValueError(
            f'the weights {weights} do not hold their config; '
            'give model=CONFIG, too (--model CONFIG)'
        )
    return parse_config(str(text), weights)


def check_checkpoint(checkpoint: Any, source: str) -> Mapping[str, Any]:
    """Return a loaded object after a check that it can be a checkpoint.

    Raises:
        ValueError: If it is no dict.
    """
    if not isinstance(checkpoint, Mapping):
        raise ValueError(
            f'{source} holds a {type(checkpoint).__name__}, not the parameters of a model by name'
        )
    return checkpoint


def check_config(cfg: Config | ConfigDict) -> None:
    """Check that a config has a CiCo model and a test pipeline.

    Raises:
        ValueError: If it does not.
    """
    name = getattr(cfg, 'filename', None) or 'the config'
    for key in ('model', 'test_dataloader'):
        if not cfg.get(key):
            raise ValueError(
                f'{name} has no "{key}"; give the whole config of a model, not a part of one'
            )
    if not cfg.test_dataloader.get('dataset', {}).get('pipeline'):
        raise ValueError(f'{name} has no "test_dataloader.dataset.pipeline"')
    shown = cfg.get('shown_score', 0.0)
    if isinstance(shown, bool) or not isinstance(shown, (int, float)):
        raise ValueError(f'{name}: shown_score {shown!r} is no number')
    kind = cfg.model.get('type')
    found = class_of(MODELS, kind)
    if not (isinstance(found, type) and issubclass(found, CiCo)):
        raise ValueError(f'{name}: the model is {kind}; only mmcico.CiCo sees clips')


def check_device(name: str | None) -> None:
    """Find out early whether a device is there.

    Raises:
        ValueError: If it cannot be used.
    """
    if name is None:
        return
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f'the device "{name}" cannot be used ({reason}); leave it out to take the best there is'
        ) from error


def checked_batch_size(batch_size: int | None, device: torch.device) -> int:
    """Return the number of clips of a file that the network gets at once.

    The default is :data:`BATCH_SIZE` for CUDA and 1 elsewhere. It is always 1 on a CPU, which
    computes one clip after the other.

    Raises:
        ValueError: If it is not a whole number from 1 up.
    """
    if batch_size is not None and not (isinstance(batch_size, Integral) and batch_size >= 1):
        raise ValueError(f'batch_size={batch_size!r} is not a whole number from 1 up')
    if device.type == 'cpu':
        return 1
    return batch_size or (BATCH_SIZE if device.type == 'cuda' else 1)


def classes_of(cfg: Config, meta: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Return the K names and category ids of the classes.

    Names come from ``meta`` of the checkpoint or from the config; they are ``class 0`` and so on if
    none are known. Ids come from the checkpoint or are 1, 2, ...
    """
    known = meta.get('dataset_meta') or {}
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    version = dataset.get('dataset_version')
    names = (
        known.get('classes')
        or (dataset.get('metainfo') or {}).get('classes')
        or (version and VERSIONS[str(version)])
        or [f'class {label}' for label in range(cfg.model.bbox_head.num_classes)]
    )
    return tuple(names), tuple(known.get('category_ids') or range(1, len(names) + 1))


def backend_of(
    weights: str | None, backend: str | None, precision: str = 'fp32', compiled: bool = False
) -> str:
    """Return the backend that the user wants, or that the ending of the file of weights tells.

    Raises:
        ValueError: If PyTorch is to run an ONNX file, or settings do not exist or do not work
            together.
    """
    is_onnx = str(weights).lower().endswith('.onnx')
    if backend == 'pytorch' and is_onnx:
        raise ValueError(
            f'"{weights}" is an ONNX file, which PyTorch does not run; leave out backend, or give '
            "'onnx'"
        )
    backend = backend or ('onnx' if is_onnx else 'pytorch')
    if backend not in BACKENDS:
        raise ValueError(f'backend={backend!r} is none of {BACKENDS}')
    name = precision_name(precision)
    if backend == 'onnx' and (compiled or name not in ('auto', 'fp32')):
        raise ValueError('an ONNX file runs as it was exported; leave out precision and compiled')
    return backend


def tune(model: CiCo, precision: str, compiled: bool) -> CiCo:
    """Let a model in eval mode test at a precision, and compile it if wanted."""
    model = set_precision(model, precision)
    if not compiled:
        return model
    print_log(
        'the first clips wait for torch.compile, as those of each new input size; on a CPU this '
        'takes minutes',
        logger='current',
    )
    return compile_model(model)
