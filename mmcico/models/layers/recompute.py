"""Activations that are computed again in the backward pass instead of being stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(module: nn.Module, run: Callable, *args: Any) -> Any:
    """Run a function whose activations are not stored, with the same results and gradients.

    Args:
        module (nn.Module): Holds the layers that the function runs. Statistics of their batch
            norms are counted once.
        run (Callable): The function.
        args: Its arguments.
    """
    return checkpoint(
        run, *args, use_reentrant=False, context_fn=lambda: (nullcontext(), kept_statistics(module))
    )


@contextmanager
def kept_statistics(module: nn.Module) -> Iterator[None]:
    """Do not change running statistics within a block."""
    norms = [each for each in module.modules() if isinstance(each, _BatchNorm)]
    before = [
        (each, each.momentum, each.num_batches_tracked, each.num_batches_tracked.clone())
        for each in norms
        if each.training and each.num_batches_tracked is not None
    ]
    for each, *_ in before:
        each.momentum = 0.0
    try:
        yield
    finally:
        for each, momentum, counter, number in before:
            each.momentum = momentum
            counter.copy_(number)
