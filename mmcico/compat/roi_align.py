"""RoIAlign in PyTorch, called as mmcv calls its operators.

Signatures: ``mmcv/ops/roi_align.py`` of mmcv 2.1.0 and onedl-mmcv 2.3.6,
which hand in the tensors for the results.

Bilinear weights of a regular grid are products of weights along y and along
x.  A RoI's samples are therefore ``rows @ features @ columns.T``, with rows
and columns cut to the few cells that the RoI touches.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ['roi_align_forward', 'roi_align_backward']

MAX_POOL = 0


class _Axis(NamedTuple):
    """One RoI's samples along one axis.

    ``coords`` (bins * grid,) are in cells, ``weights`` (bins * grid, cells)
    belong to the cells ``window`` only.
    """

    coords: Tensor
    weights: Tensor
    window: slice


def corners(coords: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lower and upper cell around each coordinate and the upper's weight.

    Args:
        coords (Tensor): any shape, in cells.
        size (int): number of cells.

    Returns:
        tuple: two long tensors and one of ``coords``' type, all of its shape.
    """
    clamped = coords.clamp(0, size - 1)
    low = clamped.floor().long()
    return low, (low + 1).clamp(max=size - 1), clamped - low


def inside(coords: Tensor, size: int) -> Tensor:
    """Bool: samples farther than one cell outside the map count as 0."""
    return (coords >= -1) & (coords <= size)


def _axis(start: float, length: float, bins: int, ratio: int, size: int, like: Tensor) -> _Axis:
    """Samples of one RoI along one axis; lengths are in cells."""
    # an inverted or infinite box has no samples and yields zeros
    if not math.isfinite(start + length):
        start, length, ratio = 0.0, 0.0, 0
    grid = ratio if ratio > 0 else max(math.ceil(length / bins), 0)
    steps = torch.arange(bins * grid, device=like.device, dtype=torch.float32)
    coords = start + (steps + 0.5) * (length / max(bins * grid, 1))
    low, high, frac = corners(coords, size)
    first = int(low.min()) if grid else 0
    last = int(high.max()) + 1 if grid else 1
    cells = torch.arange(first, last, device=like.device)
    weights = (cells == low[:, None]) * (1 - frac)[:, None]
    weights = weights + (cells == high[:, None]) * frac[:, None]
    weights = weights * inside(coords, size)[:, None]
    return _Axis(coords, weights.to(like.dtype), slice(first, last))


def _axes(
    rois: Tensor, bins: tuple[int, int], scale: float, ratio: int, aligned: bool, like: Tensor
) -> Iterator[tuple[int, _Axis, _Axis]]:
    """Image index and the samples along y and x of each RoI."""
    shift = 0.5 if aligned else 0.0
    for index, left, top, right, bottom in rois.float().tolist():
        width, height = (right - left) * scale, (bottom - top) * scale
        if not aligned:  # as the first RoIAlign: at least one cell
            width, height = max(width, 1.0), max(height, 1.0)
        yield (
            int(index),
            _axis(top * scale - shift, height, bins[0], ratio, like.size(2), like),
            _axis(left * scale - shift, width, bins[1], ratio, like.size(3), like),
        )


def _mean_rows(axis: _Axis, bins: int) -> Tensor:
    """(bins, cells): mean of each bin's samples, zeros without samples."""
    if not len(axis.coords):
        return axis.weights.new_zeros(bins, axis.weights.size(1))
    return axis.weights.unflatten(0, (bins, -1)).mean(1)


def _max_of_samples(
    window: Tensor, y_axis: _Axis, x_axis: _Axis, out: Tensor, arg_y: Tensor, arg_x: Tensor
) -> None:
    """Largest sample of each bin into ``out`` (C, h, w), and where it is."""
    arg_y.fill_(-1)
    arg_x.fill_(-1)
    if not len(y_axis.coords) or not len(x_axis.coords):
        return
    bins = out.shape[1:]
    samples = y_axis.weights @ window @ x_axis.weights.T
    samples = samples.unflatten(2, (bins[1], -1)).unflatten(1, (bins[0], -1))
    grid_x = samples.size(4)
    samples = samples.transpose(2, 3).flatten(3)  # (C, h, w, grid)
    best, arg = samples.max(3)
    out.copy_(best)
    rows = torch.arange(bins[0], device=out.device)[:, None]
    cols = torch.arange(bins[1], device=out.device)
    grid_y = samples.size(3) // grid_x
    arg_y.copy_(y_axis.coords[rows * grid_y + arg // grid_x])
    arg_x.copy_(x_axis.coords[cols * grid_x + arg % grid_x])


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Pool each RoI to a fixed size (He et al., Mask R-CNN, ICCV 2017).

    Args:
        input (Tensor): (B, C, H, W).
        rois (Tensor): (R, 5), image index and xyxy in the image's pixels.
        output (Tensor): (R, C, h, w), receives the result.
        argmax_y (Tensor): of ``output``'s shape for max pooling, receives
            the chosen samples' positions in cells, -1 without a sample;
            not used for mean pooling.
        argmax_x (Tensor): the same along x.
        aligned_height (int): h.
        aligned_width (int): w.
        spatial_scale (float): cells per pixel.
        sampling_ratio (int): samples of a bin along each axis, 0 for as
            many as the bin has cells.
        pool_mode (int): 0 max, 1 mean.
        aligned (bool): whether pixel centres are at half coordinates.
    """
    bins = (aligned_height, aligned_width)
    axes = _axes(rois, bins, spatial_scale, sampling_ratio, aligned, input)
    for i, (index, y_axis, x_axis) in enumerate(axes):
        window = input[index, :, y_axis.window, x_axis.window]
        if pool_mode == MAX_POOL:
            _max_of_samples(window, y_axis, x_axis, output[i], argmax_y[i], argmax_x[i])
        else:
            rows, cols = _mean_rows(y_axis, bins[0]), _mean_rows(x_axis, bins[1])
            output[i] = rows @ window @ cols.T


def _max_backward(
    grad_output: Tensor, rois: Tensor, argmax_y: Tensor, argmax_x: Tensor, grad_input: Tensor
) -> None:
    """Add each bin's gradient to the four cells around its sample."""
    height, width = grad_input.shape[2:]
    top, bottom, frac_y = corners(argmax_y, height)
    left, right, frac_x = corners(argmax_x, width)
    image = rois[:, 0].long()[:, None, None, None].expand_as(top)
    channel = torch.arange(grad_input.size(1), device=rois.device)
    channel = channel[:, None, None].expand_as(top)
    grad = grad_output * (inside(argmax_y, height) & inside(argmax_x, width) & (argmax_y != -1))
    for y, weight_y in ((top, 1 - frac_y), (bottom, frac_y)):
        for x, weight_x in ((left, 1 - frac_x), (right, frac_x)):
            grad_input.index_put_(
                (image, channel, y, x), grad * weight_y * weight_x, accumulate=True
            )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradient of :func:`roi_align_forward` by the features.

    Args:
        grad_output (Tensor): (R, C, h, w).
        rois (Tensor): (R, 5).
        argmax_y (Tensor): as the forward left it.
        argmax_x (Tensor): as the forward left it.
        grad_input (Tensor): (B, C, H, W) zeros, receives the gradient.
        aligned_height (int): h.
        aligned_width (int): w.
        spatial_scale (float): cells per pixel.
        sampling_ratio (int): as in the forward.
        pool_mode (int): 0 max, 1 mean.
        aligned (bool): as in the forward.
    """
    if pool_mode == MAX_POOL:
        _max_backward(grad_output, rois, argmax_y, argmax_x, grad_input)
        return
    bins = (aligned_height, aligned_width)
    axes = _axes(rois, bins, spatial_scale, sampling_ratio, aligned, grad_input)
    for i, (index, y_axis, x_axis) in enumerate(axes):
        rows, cols = _mean_rows(y_axis, bins[0]), _mean_rows(x_axis, bins[1])
        window = grad_input[index, :, y_axis.window, x_axis.window]
        window += rows.T @ grad_output[i] @ cols
