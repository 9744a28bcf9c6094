"""Convolutions of clips with fewer multiplications, for tests in float32 on CPUs.

This is F(2x2, 3x3) of https://arxiv.org/abs/1509.09308: 2x2 outputs are computed from a tile of 4x4
inputs with 16 products of channels instead of 36. Inputs and products are transformed by additions
alone, so that results differ from those of a direct convolution by rounding only.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .clip_tower import ClipConv3d

#: bytes of transformed inputs at a time, for each of so many threads at most
CHUNK_BYTES, MAX_THREADS = 3 * 2**20, 16
#: channels of 2D and of 3D convolutions from which the saved products outweigh the additions
MIN_CHANNELS, MIN_CHANNELS_3D = 192, 96


class WinogradConv2d(nn.Conv2d):
    """2D convolution by :func:`winograd`, where that is possible; see :func:`use_winograd`."""

    #: transformed weights
    tiles: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Convolve frames, (B, C, H, W) -> (B, C', H, W)."""
        if not is_possible(self, x):
            return super().forward(x)
        return winograd(x[:, :, None], self.tiles, self.bias)[:, :, 0]


class WinogradConv3d(ClipConv3d):
    """3D convolution by :func:`winograd`, where that is possible; see :func:`use_winograd`."""

    #: transformed weights
    tiles: Tensor

    def by_taps(self, x: Tensor) -> Tensor:
        """Convolve clips, (B, C, T, H, W) -> (B, C', T, H, W)."""
        if not is_possible(self, x):
            return super().by_taps(x)
        return winograd(x, self.tiles, self.bias)


def is_possible(conv: WinogradConv2d | WinogradConv3d, x: Tensor) -> bool:
    """Return whether an input is float32 on a CPU, and nothing is trained or recorded."""
    full = x.device.type == 'cpu' and x.dtype == conv.tiles.dtype == torch.float32
    low = torch.is_autocast_enabled('cpu')
    trains = torch.is_grad_enabled() and (x.requires_grad or conv.weight.requires_grad)
    recorded = torch.jit.is_tracing() or torch.compiler.is_compiling()
    return full and not (low or trains or recorded)


def use_winograd(module: nn.Module) -> None:
    """Let convolutions of a module use :func:`winograd` in tests, in place.

    Those of fewer channels, which would not become faster, stay as they are. Weights must not be
    changed afterwards.
    """
    for each in module.modules():
        if not isinstance(each, nn.Conv2d | nn.Conv3d) or each.kernel_size[-2:] != (3, 3):
            continue
        weight, width = each.weight, min(each.in_channels, each.out_channels)
        if isinstance(each, ClipConv3d) and width >= MIN_CHANNELS_3D:
            each.__class__ = WinogradConv3d
        elif type(each) is nn.Conv2d and is_plain(each) and width >= MIN_CHANNELS:
            each.__class__, weight = WinogradConv2d, weight[:, :, None]
        else:
            continue
        each.register_buffer('tiles', transform_weight(weight), persistent=False)


def is_plain(conv: nn.Conv2d) -> bool:
    """Return whether a 3x3 convolution keeps height and width and connects all channels."""
    found = conv.stride, conv.padding, conv.dilation, conv.groups, conv.padding_mode
    return found == ((1, 1), (1, 1), (1, 1), 1, 'zeros')


def transform_weight(weight: Tensor) -> Tensor:
    """Transform weights (C', C, T', 3, 3) into a matrix for each tile value, (16, T' * C, C')."""
    matrix = weight.new_tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    tiles = torch.einsum('ai,octij,bj->abtco', matrix, weight, matrix)
    return tiles.flatten(2, 3).flatten(0, 1).contiguous()


def combine_inputs(values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    """Combine the four values of a tile along one side."""
    torch.sub(values[0], values[2], out=outs[0])
    torch.add(values[1], values[2], out=outs[1])
    torch.sub(values[2], values[1], out=outs[2])
    torch.sub(values[1], values[3], out=outs[3])


def combine_products(values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    """Combine the four products of a tile along one side into its two outputs."""
    torch.add(values[1], values[2], out=outs[0]).add_(values[0])
    torch.sub(values[1], values[2], out=outs[1]).sub_(values[3])


def winograd(x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve clips, with zeros around every frame, and before and after the clip.

    Args:
        x (Tensor): (B, C, T, H, W) float32.
        weights (Tensor): (16, T' * C, C') of :func:`transform_weight`.
        bias (Tensor, optional): (C',).

    Returns:
        Tensor: (B, C', T, H, W), with its channels last in memory.
    """
    batch, channels, length, height, width = x.shape
    rows, columns = -(-height // 2), -(-width // 2)
    out = x.new_empty(batch, length, 2 * rows, 2 * columns, weights.shape[-1])
    row_bytes = 16 * batch * columns * length * channels * x.element_size()
    step = max(CHUNK_BYTES * min(torch.get_num_threads(), MAX_THREADS) // row_bytes, 1)
    for first in range(0, 2 * rows, 2 * step):
        end = min(first + 2 * step, 2 * rows)
        part = x.new_zeros(batch, end - first + 2, 2 * columns + 2, length, channels)
        # the first row and column of the part lie before those of its tiles
        top, bottom = max(first - 1, 0), min(end + 1, height)
        seen = x[..., top:bottom, :].permute(0, 3, 4, 2, 1)
        part[:, top - first + 1 : bottom - first + 1, 1 : width + 1] = seen
        convolve_rows(part, weights, bias, out[:, :, first:end])
    return out[:, :, :height, :width].permute(0, 4, 1, 2, 3)


def convolve_rows(x: Tensor, weights: Tensor, bias: Tensor | None, out: Tensor) -> None:
    """Convolve rows of tiles.

    Args:
        x (Tensor): (B, 2r + 2, 2c + 2, T, C) padded inputs of r rows of c tiles.
        weights (Tensor): (16, T' * C, C').
        bias (Tensor, optional): (C',).
        out (Tensor): (B, T, 2r, 2c, C'), where the outputs are written.
    """
    batch, height, width, length, channels = x.shape
    rows, columns = height // 2 - 1, width // 2 - 1
    reach = weights.shape[1] // channels // 2
    tiles = x.new_empty(4, 4, batch, rows, columns, length, channels)
    half = x.new_empty(4, batch, rows, width, length, channels)
    # tiles overlap by two values
    combine_inputs([x[:, i : i + 2 * rows - 1 : 2] for i in range(4)], half.unbind())
    pieces = [half[:, :, :, i : i + 2 * columns - 1 : 2] for i in range(4)]
    combine_inputs(pieces, tiles.unbind(1))
    flat = tiles.view(16, batch * rows * columns, length * channels)
    sums = x.new_empty(2, 4, batch, rows, columns, weights.shape[-1])
    for frame in range(length):
        # the frames that this one sees are neighbours in memory, so that one product sums them
        first, end = max(frame - reach, 0), min(frame + reach + 1, length)
        seen = weights[:, (first - frame + reach) * channels : (end - frame + reach) * channels]
        products = torch.bmm(flat[..., first * channels : end * channels], seen)
        products = products.view(4, 4, batch, rows, columns, -1)
        if bias is not None:
            products[1, 1] += bias  # this value is added to all four outputs
        combine_products(products.unbind(), sums.unbind())
        place = out[:, frame].unflatten(1, (rows, 2)).unflatten(3, (columns, 2)).movedim(2, 0)
        combine_products(sums.unbind(1), place.unbind(4))
