"""Frozen batch norms as parts of the convolutions before them, in training.

A batch norm with fixed statistics is affine, so that it may scale the weights of the convolution
before it instead of its outputs (https://arxiv.org/abs/2305.11624). Autograd then stores no input
of the norm, and gradients of all parameters are the same. MMEngine's ``efficient_conv_bn_eval``
does this too, but fixes for ever what a backbone does in training mode, drop path for example.
"""

import copy
from collections.abc import Iterator

import torch
from mmengine.logging import print_log
from mmengine.model.efficient_conv_bn_eval import efficient_conv_bn_eval_forward
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcico.utils.numerics import whole_products


class NormedConv2d(nn.Conv2d):
    """Convolution that does the work of the batch norm after it, as long as that is frozen."""

    #: the norm, in a tuple because it is no submodule
    norm_after: tuple[nn.BatchNorm2d]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, H, W) and, while a gradient is recorded, apply the frozen norm."""
        (norm,) = self.norm_after
        return efficient_conv_bn_eval_forward(norm, self, x) if joins(norm) else super().forward(x)


class JoinedNorm2d(nn.BatchNorm2d):
    """Batch norm after :class:`NormedConv2d`."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) as it is if the convolution has applied the norm."""
        return x if joins(self) else super().forward(x)


def joins(norm: nn.BatchNorm2d) -> bool:
    """Return whether the convolution before a norm applies it.

    Without gradients there is nothing to save, and scaling the weights takes time.
    """
    return not norm.training and torch.is_grad_enabled()


def norms_to_fold(module: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """Yield the owner of a convolution and of the batch norm after it, and both names.

    The order of registration tells what follows what.
    """
    before, name_before = None, ''
    for name, child in module.named_children():
        known = isinstance(child, _BatchNorm) and child.running_mean is not None
        if known and isinstance(before, (nn.Conv2d, nn.Conv3d)):
            yield module, name_before, name
        before, name_before = child, name
        yield from norms_to_fold(child)


def pairs_to_join(module: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Yield convolutions that are registered just before a frozen batch norm, and those norms.

    Where neither is trained, as in frozen stages, there is no memory to save.
    """
    for owner, *names in norms_to_fold(module):
        conv, norm = (getattr(owner, name) for name in names)
        plain = type(conv) is nn.Conv2d and type(norm) is nn.BatchNorm2d
        trained = any(each.requires_grad for each in (*conv.parameters(), *norm.parameters()))
        if plain and trained and not norm.training:
            yield conv, norm


def join_frozen_norms(backbone: nn.Module) -> int:
    """Let convolutions of a backbone do the work of the frozen batch norms after them, in place.

    The order of registration may not be that of the computation. Both are therefore compared on a
    copy, with noise in the input and in all norms; if they differ, nothing is changed. Parameters,
    their names and their gradients stay the same.

    Args:
        backbone (nn.Module): In training mode, with those norms in eval mode that are frozen.

    Returns:
        int: Number of joined norms.
    """
    pairs = list(pairs_to_join(backbone))
    if not pairs or not _gives_the_same(copy.deepcopy(backbone)):
        return 0
    _join(pairs)
    return len(pairs)


@whole_products()
def _gives_the_same(trial: nn.Module) -> bool:
    """Change all norms of a copy of a backbone, join the frozen ones, and compare the results."""
    random = torch.Generator().manual_seed(0)
    pairs = list(pairs_to_join(trial))
    for _, norm in pairs:
        for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            if value is not None:
                value.data.copy_(torch.rand(value.shape, generator=random) + 0.5)
    trial.eval()
    x = torch.randn(1, 3, 64, 64, generator=random).to(pairs[0][0].weight)
    try:
        with torch.no_grad():
            wanted = trial(x)
        _join(pairs)
        return all(
            bool((a - b).abs().max() <= 1e-3 * b.abs().max()) for a, b in zip(trial(x), wanted)
        )
    except Exception as error:  # a backbone with other inputs or outputs trains as it is
        print_log(f'frozen batch norms stay as they are: {error}', logger='current')
        return False


def _join(pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]]) -> None:
    for conv, norm in pairs:
        conv.__class__, norm.__class__ = NormedConv2d, JoinedNorm2d
        conv.norm_after = (norm,)  # type: ignore[assignment]


def split_norms(module: nn.Module) -> None:
    """Undo :func:`join_frozen_norms`."""
    for each in module.modules():
        if isinstance(each, NormedConv2d):
            each.__class__ = nn.Conv2d  # type: ignore[assignment]
            del each.norm_after
        elif isinstance(each, JoinedNorm2d):
            each.__class__ = nn.BatchNorm2d  # type: ignore[assignment]
