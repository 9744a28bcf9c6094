"""Precision, memory layout and frozen norms of networks in training and in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmcico.deployment.precision import NETWORK_PARTS, channels_last, precision_name, set_precision
from mmcico.models.layers.frozen_norms import join_frozen_norms
from mmcico.models.vis.cico import CiCo
from mmcico.registry import HOOKS, OPTIM_WRAPPERS
from mmcico.utils.weights import unwrapped


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Optimiser wrapper that runs the forward pass in bfloat16 on the device of the model.

    MMEngine's ``AmpOptimWrapper`` refuses CPUs. Those with AMX train about twice as fast this
    way. Gradients need no scaling, since bfloat16 has the range of float32.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass of ``model`` under autocast."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keep the weights of 2D convolutions with their channels last, which is faster on CPUs.

    Maps that such a convolution returns have the same order. Values are the same.
    """

    def before_train(self, runner: Runner) -> None:
        """Reorder the weights in memory."""
        for module in runner.model.modules():
            if isinstance(module, nn.Conv2d):
                channels_last(module.weight)


@HOOKS.register_module()
class FrozenNormHook(Hook):
    """Train with the frozen batch norms of the backbone joined to the convolutions before them.

    Results and gradients are the same, to rounding; a step takes less memory and, in bfloat16, less
    time. Models whose parameters are spread over processes (FSDP) stay as they are.

    Args:
        enabled (bool): Whether to do anything at all. Defaults to True.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

    def before_train(self, runner: Runner) -> None:
        """Join the norms."""
        model = runner.model
        whole = not is_model_wrapper(model) or isinstance(model, DistributedDataParallel)
        backbone = getattr(unwrapped(model), 'backbone', None)
        if not self.enabled or not whole or backbone is None:
            return
        backbone.train()  # as the loop will do; a backbone freezes its norms here
        if number := join_frozen_norms(backbone):
            print_log(
                f'{number} frozen batch norms of the backbone are part of its convolutions now',
                logger='current',
            )


@HOOKS.register_module()
class PrecisionHook(Hook):
    """Test with a network that is prepared for speed, see :func:`set_precision`.

    Args:
        precision (str): ``'fp32'``, ``'bf16'``, ``'fp16'``, or ``'auto'`` for bf16 if the device
            is fast at it, else fp32.
    """

    #: other hooks, such as EMAHook, change the weights before
    priority = 'LOWEST'

    def __init__(self, precision: str = 'auto') -> None:
        self.precision = precision_name(precision)
        self.kept: dict[str, Any] = {}

    def before_test_epoch(self, runner: Runner) -> None:
        """Replace the parts of the network.

        Raises:
            ValueError: If the model is of another type.
        """
        model = own_model(runner)
        model.eval()  # as the loop will do
        self.kept = {name: getattr(model, name) for name in (*NETWORK_PARTS, 'network')}
        set_precision(model, self.precision)

    def after_test_iter(self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        """Put the parts back after the last batch, before other hooks change the weights again."""
        if batch_idx + 1 == len(runner.test_dataloader):
            for name, part in self.kept.items():
                setattr(own_model(runner), name, part)


def own_model(runner: Runner) -> CiCo:
    """Return the model of a runner without its wrapper.

    Raises:
        ValueError: If it is no :class:`CiCo`.
    """
    model = unwrapped(runner.model)
    if not isinstance(model, CiCo):
        raise ValueError(
            f'PrecisionHook (--precision) works with mmcico.CiCo, but the model is a '
            f'{type(model).__name__}; leave it out'
        )
    return model
