"""Convolutions of clips in float32 on CPUs with fewer multiplications, and their gradients.

These are minimal filtering algorithms (https://arxiv.org/abs/1509.09308), F(2x4, 3x3): 2x4 outputs
are computed from a tile of 4x6 inputs with 24 products of channels instead of 72. Inputs and
products are transformed by additions and constant factors, so that results differ from those of a
direct convolution by rounding only.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: bytes of transformed inputs at a time, for each of so many threads at most
CHUNK_BYTES, MAX_THREADS = 6 * 2**20, 16


class TwoOutputs:
    """F(2, 3): two outputs along a side of a tile from four products.

    Inputs and outputs are the coefficients of polynomials, and products their values at the points
    0, 1 and -1 and at infinity. The methods write to ``outs``.
    """

    size = 2
    #: transforms three weights into four
    weights = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))

    def combine_inputs(self, values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        """Combine four inputs into four factors."""
        torch.sub(values[0], values[2], out=outs[0])
        torch.add(values[1], values[2], out=outs[1])
        torch.sub(values[2], values[1], out=outs[2])
        torch.sub(values[1], values[3], out=outs[3])

    def combine_products(self, values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        """Combine four products into two outputs."""
        torch.add(values[1], values[2], out=outs[0]).add_(values[0])
        torch.sub(values[1], values[2], out=outs[1]).sub_(values[3])

    def spread_gradients(self, values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        """Spread the gradients of two outputs to four products."""
        outs[0].copy_(values[0])
        torch.add(values[0], values[1], out=outs[1])
        torch.sub(values[0], values[1], out=outs[2])
        torch.neg(values[1], out=outs[3])


class FourOutputs:
    """F(4, 3): as :class:`TwoOutputs`, but four outputs from six products.

    The points are 0, 3/4, -3/4, 3/2 and -3/2, which have half the rounding errors of the usual 0,
    1, -1, 2 and -2.
    """

    size = 4
    a, b = 0.75, 1.5
    weights = (
        (1 / (a * b) ** 2, 0, 0),
        *(
            [sign**power * point ** (power - 2) / (2 * (point**2 - other**2)) for power in range(3)]
            for point, other in ((a, b), (b, a))
            for sign in (1, -1)
        ),
        (0, 0, 1),
    )

    def combine_inputs(self, values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        """Combine six inputs into six factors."""
        for i, point, other in ((3, self.b, self.a), (1, self.a, self.b)):
            even = torch.sub(values[4], values[2], alpha=other**2)
            odd = torch.sub(values[3], values[1], alpha=other**2)
            torch.add(even, odd, alpha=point, out=outs[i])
            torch.sub(even, odd, alpha=point, out=outs[i + 1])
        # from those of a: even - a^2 * (values[2] - b^2 * values[0]), and the same of the odd ones
        a, b = self.a**2, self.b**2
        torch.sub(even, values[2], alpha=a, out=outs[0]).add_(values[0], alpha=a * b)
        torch.sub(values[5], values[3], alpha=b, out=outs[5]).sub_(odd, alpha=a)

    def combine_products(self, values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        """Combine six products into four outputs."""
        a, b = self.a, self.b
        even, odd = values[1] + values[2], values[1] - values[2]
        even_b, odd_b = values[3] + values[4], values[3] - values[4]
        torch.add(even, even_b, out=outs[0]).add_(values[0])
        torch.mul(odd, a, out=outs[1]).add_(odd_b, alpha=b)
        torch.mul(even, a**2, out=outs[2]).add_(even_b, alpha=b**2)
        torch.add(values[5], odd, alpha=a**3, out=outs[3]).add_(odd_b, alpha=b**3)

    def spread_gradients(self, values: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        """Spread the gradients of four outputs to six products."""
        outs[0].copy_(values[0])
        for i, point in ((1, self.a), (3, self.b)):
            even = torch.add(values[0], values[2], alpha=point**2)
            odd = torch.add(values[1], values[3], alpha=point**2)
            torch.add(even, odd, alpha=point, out=outs[i])
            torch.sub(even, odd, alpha=point, out=outs[i + 1])
        outs[5].copy_(values[3])


#: how tiles are transformed along their height and along their width
ROWS, COLUMNS = TwoOutputs(), FourOutputs()
NUM_PRODUCTS = (ROWS.size + 2) * (COLUMNS.size + 2)


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
    """Transform weights (C', C, T', 3, 3) into a matrix for each product, (24, T' * C, C')."""
    tiles = weight_matrix(weight) @ weight.permute(3, 4, 2, 1, 0).reshape(9, -1)
    return tiles.view(NUM_PRODUCTS, -1, weight.shape[0])


def weight_matrix(like: Tensor) -> Tensor:
    """Return the matrix (24, 9) that transforms the weights of a kernel."""
    return torch.kron(like.new_tensor(ROWS.weights), like.new_tensor(COLUMNS.weights))


def winograd(x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve clips, with zeros around every frame, and before and after the clip.

    Args:
        x (Tensor): (B, C, T, H, W) float32.
        weights (Tensor): (24, T' * C, C') of :func:`transform_weight`.
        bias (Tensor, optional): (C',).

    Returns:
        Tensor: (B, C', T, H, W), with its channels last in memory.
    """
    batch, channels, length, height, width = x.shape
    size = weights.shape[1] // channels
    whole = torch.empty(
        (batch, weights.shape[-1], length, *tiled_size(x)),
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
            put_outputs(torch.bmm(tiles[..., seen], weights[:, taps]), rows[:, frame])
            if bias is not None:
                rows[:, frame] += bias
    if tiled_size(x) == (height, width):
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
    sums = x.new_zeros(NUM_PRODUCTS, size * channels, grad.shape[1])
    for first, end in parts_of_rows(x):
        tiles = input_tiles(part_of_rows(x, first, end, margin=1))
        products = product_tiles(part_of_rows(grad, first, end, margin=0))
        for frame, seen, taps in seen_frames(length, size, channels):
            sums[:, taps].baddbmm_(tiles[..., seen].mT, products[:, :, frame])
    weights = weight_matrix(x).T @ sums.flatten(1)
    return weights.view(3, 3, size, channels, -1).permute(4, 3, 2, 0, 1).contiguous()


def tiled_size(x: Tensor) -> tuple[int, int]:
    """Return height and width of the tiles that cover a map (..., H, W)."""
    height, width = x.shape[-2:]
    return height + -height % ROWS.size, width + -width % COLUMNS.size


def parts_of_rows(x: Tensor) -> Iterator[tuple[int, int]]:
    """Yield the first row and the end of parts whose transformed inputs fit into the caches."""
    height, width = tiled_size(x)
    row_bytes = NUM_PRODUCTS * x[..., 0, 0].numel() * width // COLUMNS.size * x.element_size()
    limit = CHUNK_BYTES * min(torch.get_num_threads(), MAX_THREADS)
    step = ROWS.size * max(limit // row_bytes, 1)
    for first in range(0, height, step):
        yield first, min(first + step, height)


def part_of_rows(x: Tensor, first: int, end: int, margin: int) -> Tensor:
    """Copy rows with channels last, (B, C, T, H, W) -> (B, end - first + 2m, W + 2m, T, C).

    There are ``margin`` more rows and columns on each side, and zeros outside the frames.
    """
    batch, channels, length, height, width = x.shape
    rows, columns = end - first + 2 * margin, tiled_size(x)[1] + 2 * margin
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
    """Transform rows into tiles, (B, 2r + 2, 4c + 2, T, C) -> (24, B * r * c, T * C)."""
    batch, height, width, length, channels = x.shape
    rows, columns = (height - 2) // ROWS.size, (width - 2) // COLUMNS.size
    half = x.new_empty(COLUMNS.size + 2, batch, height, columns, length, channels)
    tiles = x.new_empty(ROWS.size + 2, COLUMNS.size + 2, batch, rows, columns, length, channels)
    # tiles overlap by two values
    COLUMNS.combine_inputs(places(x, 2, COLUMNS.size, columns), half.unbind())
    ROWS.combine_inputs(places(half, 2, ROWS.size, rows), tiles.unbind())
    return tiles.view(NUM_PRODUCTS, batch * rows * columns, length * channels)


def places(x: Tensor, dim: int, size: int, count: int) -> list[Tensor]:
    """Return the values at each place of overlapping tiles, size + 2 views of ``count`` values."""
    end = size * (count - 1) + 1
    return [x.narrow(dim, i, end).unfold(dim, 1, size).squeeze(-1) for i in range(size + 2)]


def product_tiles(grad: Tensor) -> Tensor:
    """Spread gradients of outputs to products, (B, 2r, 4c, T, C') -> (24, B * r * c, T, C')."""
    batch, height, width, length, channels = grad.shape
    rows, columns = height // ROWS.size, width // COLUMNS.size
    half = grad.new_empty(COLUMNS.size + 2, batch, height, columns, length, channels)
    tiles = grad.new_empty(ROWS.size + 2, COLUMNS.size + 2, batch, rows, columns, length, channels)
    COLUMNS.spread_gradients(grad.unflatten(2, (columns, -1)).unbind(3), half.unbind())
    ROWS.spread_gradients(half.unflatten(2, (rows, -1)).unbind(3), tiles.unbind())
    return tiles.view(NUM_PRODUCTS, batch * rows * columns, length, channels)


def put_outputs(products: Tensor, out: Tensor) -> None:
    """Combine products (24, B * r * c, C') and write them to the rows ``out`` (B, 2r, 4c, C')."""
    batch, height, width, channels = out.shape
    rows, columns = height // ROWS.size, width // COLUMNS.size
    products = products.view(ROWS.size + 2, COLUMNS.size + 2, batch, rows, columns, channels)
    sums = products.new_empty(ROWS.size, COLUMNS.size + 2, batch, rows, columns, channels)
    ROWS.combine_products(products.unbind(), sums.unbind())
    place = out.unflatten(1, (rows, -1)).unflatten(3, (columns, -1)).movedim(2, 0)
    COLUMNS.combine_products(sums.unbind(1), place.unbind(4))
