"""Configs and weights by name or path."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmcico.formats.categories import VERSIONS
from mmcico.models.vis.cico import CiCo
from mmcico.registry import MODELS
from mmcico.utils.embedded_config import parse_config
from mmcico.utils.launch import read_config
from mmcico.utils.package_files import known_models

#: parts without which there are no sensible results
NEEDED = ('backbone.', 'neck.', 'bbox_head.', 'mask_head.')


def find_model(name: str) -> tuple[Config, str | None]:
    """Return the config of a model and the weights that the model index has for it.

    Args:
        name (str): Path or name of a config, see :func:`find_config`.

    Returns:
        tuple[Config, str | None]: The config, and path or URL of the weights if there are any.

    Raises:
        FileNotFoundError: If there is no such config.
    """
    weights = known_models().get(name, {}).get('Weights')
    return read_config(name), weights[0] if isinstance(weights, list) else weights


def config_in(weights: str) -> Config:
    """The config that a checkpoint of MMEngine holds.

    Args:
        weights (str): Path or URL.

    Raises:
        ValueError: If it holds none, or cannot be read.
    """
    checkpoint = check_checkpoint(
        _load_checkpoint(weights, map_location='cpu', logger='silent'), weights
    )
    hub = (checkpoint.get('message_hub') or {}).get('runtime_info') or {}
    text = hub.get('cfg') or (checkpoint.get('meta') or {}).get('cfg')
    if not text:
        raise ValueError(
            f'the weights {weights} do not hold their config; '
            'give model=CONFIG, too (--model CONFIG)'
        )
    return parse_config(str(text), weights)


def check_checkpoint(checkpoint: Any, source: str) -> Mapping[str, Any]:
    """What was loaded, if it can be a checkpoint.

    Raises:
        ValueError: If it is no dict.
    """
    if not isinstance(checkpoint, Mapping):
        raise ValueError(
            f'{source} holds a {type(checkpoint).__name__}, not the parameters of a model by name'
        )
    return checkpoint


def check_config(cfg: Config | ConfigDict) -> None:
    """Complain of configs of other models, or without a test pipeline.

    Raises:
        ValueError: If so.
    """
    name = getattr(cfg, 'filename', None) or 'the config'
    for key in ('model', 'test_dataloader'):
        if not cfg.get(key):
            raise ValueError(
                f'{name} has no "{key}"; give the whole config of a model, not a part of one'
            )
    if not cfg.test_dataloader.get('dataset', {}).get('pipeline'):
        raise ValueError(f'{name} has no "test_dataloader.dataset.pipeline"')
    kind = cfg.model.get('type')
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not (isinstance(found, type) and issubclass(found, CiCo)):
        raise ValueError(f'{name}: the model is {kind}; only mmcico.CiCo sees clips')


def check_device(name: str | None) -> None:
    """Find out early whether a device is there.

    Args:
        name (str, optional): Such as ``'cpu'`` or ``'cuda:0'``.

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


def load_weights(
    model: nn.Module, params: Mapping[str, Any], source: str, allow_partial: bool = False
) -> list[str]:
    """Put weights into a model, or say what does not fit.

    Args:
        model (nn.Module): The model.
        params (Mapping[str, Tensor]): Parameters by name.
        source (str): Where they come from, for messages.
        allow_partial (bool): Whether parts may keep their random start.

    Returns:
        list[str]: What did not fit, a line each.

    Raises:
        ValueError: If parts of the network are missing or have another
            shape, unless that is allowed.
    """
    own = model.state_dict()
    params = {re.sub('^module[.]', '', name): value for name, value in params.items()}
    fits = {
        name: value
        for name, value in params.items()
        if name in own and value.shape == own[name].shape
    }
    missing = [name for name in own if name not in params]
    shapes = [
        f'{name} is {tuple(params[name].shape)} instead of {tuple(own[name].shape)}'
        for name in own
        if name in params and name not in fits
    ]
    problems = [f'{name} is missing' for name in missing] + shapes
    left = [f'{name} is not used' for name in params if name not in own]
    serious = [each for each in problems if each.startswith(NEEDED)]
    if serious and not allow_partial:
        first = '\n  '.join(serious[:5])
        raise ValueError(
            f'the weights {source} do not fit the config: {len(serious)} of '
            f'{len(own)} parameters, the first being\n  {first}\nIs it the '
            "model's own config, with its num_classes? allow_partial=True "
            '(--allow-partial) takes what fits and leaves the rest random'
        )
    model.load_state_dict(fits, strict=False)
    return problems + left


def class_names(cfg: Config, meta: Mapping[str, Any]) -> Sequence[str]:
    """Names of the classes, from the checkpoint or the config.

    Args:
        cfg (Config): The config.
        meta (Mapping): ``meta`` of the checkpoint.

    Returns:
        Sequence[str]: K names; ``class 0`` and so on where none are known.
    """
    known = meta.get('dataset_meta') or {}
    if known.get('classes'):
        return tuple(known['classes'])
    dataset = cfg.get('test_dataloader', {}).get('dataset', {})
    classes = (dataset.get('metainfo') or {}).get('classes')
    if classes:
        return tuple(classes)
    version = dataset.get('dataset_version')
    if version:
        return tuple(VERSIONS[str(version)])
    return tuple(f'class {label}' for label in range(cfg.model.bbox_head.num_classes))


def category_ids(names: Sequence[str], meta: Mapping[str, Any]) -> Sequence[Any]:
    """Category id of each label: the data set's, or 1, 2, ..."""
    known = meta.get('dataset_meta') or {}
    return tuple(known.get('category_ids') or range(1, len(names) + 1))
