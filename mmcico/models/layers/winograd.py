"""Convolutions of clips in float32 on CPUs with fewer multiplications, and their gradients.

This is F(2x2, 3x3) of https://arxiv.org/abs/1509.09308: 2x2 outputs are computed from a tile of 4x4
inputs with 16 products of channels instead of 36. Inputs and products are transformed by additions
alone, so that results differ from those of a direct convolution by rounding only.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: bytes of transformed inputs at a time, for each of so many threads at most
CHUNK_BYTES, MAX_THREADS = 3 * 2**20, 16
#: transforms the three weights along one side of a kernel into four
WEIGHT_MATRIX = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))


class Winograd(torch.autograd.Function):
    """:func:`winograd` with gradients, which have fewer multiplications, too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve clips (B, C, T, H, W) with weights (C', C, T', 3, 3)."""
        ctx.save_for_backward(x, weight)
        return winograd(x, transform_weight(weight), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of input, weights and bias."""
        x, weight = ctx.saved_tensors
        of_input = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_input = winograd(grad, transform_weight(reverse_weight(weight)), None)
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(x, grad, weight.shape[2])
        if ctx.needs_input_grad[2]:
            of_bias = grad.sum((0, 2, 3, 4))
        return of_input, of_weight, of_bias


def is_possible(x: Tensor, weights: Tensor) -> bool:
    """Return whether an input and weights are float32 on a CPU, and nothing is recorded."""
    full = x.device.type == 'cpu' and x.dtype == weights.dtype == torch.float32
    recorded = torch.jit.is_tracing() or torch.compiler.is_compiling()
    return full and not (torch.is_autocast_enabled('cpu') or recorded)


def reverse_weight(weight: Tensor) -> Tensor:
    """Return weights (C, C', T', 3, 3) of the convolution from outputs to inputs."""
    return weight.transpose(0, 1).flip(2, 3, 4)


def transform_weight(weight: Tensor) -> Tensor:
    """Transform weights (C', C, T', 3, 3) into a matrix for each tile value, (16, T' * C, C')."""
    matrix = weight.new_tensor(WEIGHT_MATRIX)
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


def spread_gradients(values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    """Spread the gradients of two outputs of a tile along one side to its four products."""
    outs[0].copy_(values[0])
    torch.add(values[0], values[1], out=outs[1])
    torch.sub(values[0], values[1], out=outs[2])
    torch.neg(values[1], out=outs[3])


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
    size = weights.shape[1] // channels
    whole = torch.empty(
        (batch, weights.shape[-1], length, *even_size(x)),
        dtype=x.dtype,
        device=x.device,
        memory_format=torch.channels_last_3d,
    )
    out = whole.permute(0, 2, 3, 4, 1)
    for first, end in parts_of_rows(x):
        tiles = input_tiles(part_of_rows(x, first, end, margin=1))
        rows = out[:, :, first:end]
        for frame, seen, taps in seen_frames(length, size, channels):
            # neighbours in time are neighbours in memory, so that one product sums them
            products = torch.bmm(tiles[..., seen], weights[:, taps])
            if bias is not None:
                products[5] += bias  # this value is added to all four outputs
            put_outputs(products, rows[:, frame])
    if even_size(x) == (height, width):
        return whole
    return whole[..., :height, :width].contiguous(memory_format=torch.channels_last_3d)


def weight_gradient(x: Tensor, grad: Tensor, size: int) -> Tensor:
    """Return the gradient of the weights of :func:`winograd`.

    Args:
        x (Tensor): (B, C, T, H, W) input.
        grad (Tensor): (B, C', T, H, W) gradient of the output.
        size (int): T', temporal size of the weights.

    Returns:
        Tensor: (C', C, T', 3, 3).
    """
    channels, length = x.shape[1:3]
    sums = x.new_zeros(16, size * channels, grad.shape[1])
    for first, end in parts_of_rows(x):
        tiles = input_tiles(part_of_rows(x, first, end, margin=1))
        products = product_tiles(part_of_rows(grad, first, end, margin=0))
        for frame, seen, taps in seen_frames(length, size, channels):
            sums[:, taps].baddbmm_(tiles[..., seen].mT, products[:, :, frame])
    matrix = x.new_tensor(WEIGHT_MATRIX)
    return torch.einsum(
        'ai,abtco,bj->octij', matrix, sums.view(4, 4, size, channels, -1), matrix
    ).contiguous()


def even_size(x: Tensor) -> tuple[int, int]:
    """Return height and width of the tiles that cover a map (..., H, W)."""
    height, width = x.shape[-2:]
    return height + height % 2, width + width % 2


def parts_of_rows(x: Tensor) -> Iterator[tuple[int, int]]:
    """Yield the first row and the end of parts whose transformed inputs fit into the caches."""
    height, width = even_size(x)
    row_bytes = 16 * x[..., 0, 0].numel() * width // 2 * x.element_size()
    step = max(CHUNK_BYTES * min(torch.get_num_threads(), MAX_THREADS) // row_bytes, 1)
    for first in range(0, height, 2 * step):
        yield first, min(first + 2 * step, height)


def part_of_rows(x: Tensor, first: int, end: int, margin: int) -> Tensor:
    """Copy rows with channels last, (B, C, T, H, W) -> (B, end - first + 2m, W + 2m, T, C).

    There are ``margin`` more rows and columns on each side, and zeros outside the frames.
    """
    batch, channels, length, height, width = x.shape
    rows, columns = end - first + 2 * margin, even_size(x)[1] + 2 * margin
    part = x.new_zeros(batch, rows, columns, length, channels)
    top, bottom = max(first - margin, 0), min(end + margin, height)
    place = slice(top - first + margin, bottom - first + margin)
    part[:, place, margin : width + margin] = x[..., top:bottom, :].permute(0, 3, 4, 2, 1)
    return part


def seen_frames(length: int, size: int, channels: int) -> Iterator[tuple[int, slice, slice]]:
    """Yield each frame with the channels that it sees, of a clip (T * C) and weights (T' * C)."""
    reach = size // 2
    for frame in range(length):
        first, end = max(frame - reach, 0), min(frame + reach + 1, length)
        shift = reach - frame
        yield (
            frame,
            slice(first * channels, end * channels),
            slice((first + shift) * channels, (end + shift) * channels),
        )


def input_tiles(x: Tensor) -> Tensor:
    """Transform rows into tiles, (B, 2r + 2, 2c + 2, T, C) -> (16, B * r * c, T * C)."""
    batch, height, width, length, channels = x.shape
    rows, columns = height // 2 - 1, width // 2 - 1
    tiles = x.new_empty(4, 4, batch, rows, columns, length, channels)
    half = x.new_empty(4, batch, rows, width, length, channels)
    # tiles overlap by two values
    combine_inputs([x[:, i : i + 2 * rows - 1 : 2] for i in range(4)], half.unbind())
    pieces = [half[:, :, :, i : i + 2 * columns - 1 : 2] for i in range(4)]
    combine_inputs(pieces, tiles.unbind(1))
    return tiles.view(16, batch * rows * columns, length * channels)


def product_tiles(grad: Tensor) -> Tensor:
    """Spread gradients of outputs to products, (B, 2r, 2c, T, C') -> (16, B * r * c, T, C')."""
    batch, height, width, length, channels = grad.shape
    rows, columns = height // 2, width // 2
    tiles = grad.new_empty(4, 4, batch, rows, columns, length, channels)
    half = grad.new_empty(4, batch, rows, width, length, channels)
    spread_gradients([grad[:, i::2] for i in range(2)], half.unbind())
    spread_gradients([half[:, :, :, i::2] for i in range(2)], tiles.unbind(1))
    return tiles.view(16, batch * rows * columns, length, channels)


def put_outputs(products: Tensor, out: Tensor) -> None:
    """Combine products (16, B * r * c, C') and write them to the rows ``out`` (B, 2r, 2c, C')."""
    batch, height, width, channels = out.shape
    rows, columns = height // 2, width // 2
    products = products.view(4, 4, batch, rows, columns, channels)
    sums = products.new_empty(2, 4, batch, rows, columns, channels)
    combine_products(products.unbind(), sums.unbind())
    place = out.unflatten(1, (rows, 2)).unflatten(3, (columns, 2)).movedim(2, 0)
    combine_products(sums.unbind(1), place.unbind(4))
