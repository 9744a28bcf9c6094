"""Weights of a model: whether they fit, and the order of their initialisation."""

import re
from collections.abc import Mapping
from typing import Any

from mmdet.utils import OptConfigType
from mmengine.model import is_model_wrapper
from torch import nn

from mmcico.registry import WEIGHT_INITIALIZERS, class_of

#: parts of a model without which there are no sensible results
NEEDED = re.compile(r'(^|[.])(backbone|neck|(bbox|mask|rpn|roi|track|panoptic)_head)[.]')


def unwrapped(model: nn.Module) -> Any:
    """Return a model without the wrapper of a distributed training."""
    return model.module if is_model_wrapper(model) else model


def load_weights(
    model: nn.Module, params: Mapping[str, Any], source: str, allow_partial: bool = False
) -> list[str]:
    """Load the weights that fit into a model, see :func:`check_fit`."""
    params = {re.sub('^module[.]', '', name): value for name, value in params.items()}
    lines = check_fit(model, params, source, allow_partial)
    own = model.state_dict()
    fits = {k: v for k, v in params.items() if k in own and v.shape == own[k].shape}
    model.load_state_dict(fits, strict=False)
    return lines


def check_fit(
    model: nn.Module, params: Mapping[str, Any], source: str, allow_partial: bool = False
) -> list[str]:
    """Compare the parameters of a file with a model, and return a line for each that does not fit.

    Raises:
        ValueError: If parts of the network are missing or have another shape, unless
            ``allow_partial`` lets them stay random.
    """
    own = model.state_dict()
    problems = [f'{name} is missing' for name in own if name not in params]
    problems += [
        f'{name} is {tuple(params[name].shape)} instead of {tuple(own[name].shape)}'
        for name in own
        if name in params and params[name].shape != own[name].shape
    ]
    serious = [each for each in problems if NEEDED.search(each)]
    if serious and not allow_partial:
        first = '\n  '.join(serious[:5])
        raise ValueError(
            f'the weights {source} do not fit the config: {len(serious)} of {len(own)} parameters, '
            f"the first being\n  {first}\nIs it the model's own config, with its num_classes? "
            'allow_partial=True (--allow-partial) takes what fits and leaves the rest random'
        )
    return problems + [f'{name} is not used' for name in params if name not in own]


def split_init_cfg(init_cfg: OptConfigType | list[dict]) -> tuple[list[dict], list[dict]]:
    """Split initialisers into those before the submodules and those after them.

    The latter have a type with ``after_children``; MMEngine's ``init_weights`` runs the former.
    """
    first: list[dict] = []
    last: list[dict] = []
    for cfg in [init_cfg] if isinstance(init_cfg, dict) else init_cfg or []:
        kind = class_of(WEIGHT_INITIALIZERS, cfg['type'])
        (last if getattr(kind, 'after_children', False) else first).append(cfg)
    return first, last
