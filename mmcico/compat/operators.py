"""Operators that mmcv calls in ``mmcv._ext``, for an mmcv without compiled ones.

The signatures are those of mmcv 2.1.0 and onedl-mmcv 2.3.6, which pass the tensors for the results.
NMS and RoIAlign use torchvision where it works; the plain versions give the same results.
"""

import functools
import importlib
import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    'ms_deform_attn_backward',
    'ms_deform_attn_forward',
    'nms',
    'roi_align_backward',
    'roi_align_forward',
    'sigmoid_focal_loss_backward',
    'sigmoid_focal_loss_forward',
]

#: rows of the IoU matrix computed at once: 512 x 10000 floats are 20 MB
BLOCK = 512
MEAN_POOL = 1


@functools.cache
def torchvision_ops() -> ModuleType | None:
    """Return ``torchvision.ops`` if it works beside the installed PyTorch."""
    try:
        from torchvision import ops

        ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    # a build for another PyTorch fails on import or lacks its compiled operators
    except (ImportError, AttributeError, OSError, RuntimeError):
        return None
    return ops


def pairwise_iou(rows: Tensor, cols: Tensor, offset: int) -> Tensor:
    """Compute the (N, M) IoU of two sets of boxes xyxy, 0 where both boxes are empty."""
    low = torch.max(rows[:, None, :2], cols[None, :, :2])
    high = torch.min(rows[:, None, 2:], cols[None, :, 2:])
    inter = (high - low + offset).clamp(min=0).prod(-1)
    area_rows = (rows[:, 2:] - rows[:, :2] + offset).prod(-1)
    area_cols = (cols[:, 2:] - cols[:, :2] + offset).prod(-1)
    union = area_rows[:, None] + area_cols - inter
    return torch.where(union > 0, inter / union, torch.zeros_like(inter))


def nms(bboxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Drop each box whose IoU with a kept, better one is above ``iou_threshold``.

    Args:
        bboxes (Tensor): (N, 4) xyxy.
        scores (Tensor): (N,).
        iou_threshold (float): In [0, 1].
        offset (int): 1 if the right and lower border belong to the box.

    Returns:
        Tensor: (K,) long, indices of the kept boxes, best score first.
    """
    fast = torchvision_ops()
    if fast and not offset:
        return fast.nms(bboxes, scores, iou_threshold)
    order = scores.sort(descending=True, stable=True).indices
    boxes, alive = bboxes[order].float(), torch.ones_like(order, dtype=torch.bool)
    for start in range(0, len(order), BLOCK):
        block = slice(start, start + BLOCK)
        over = pairwise_iou(boxes[block], boxes[start:], offset) > iou_threshold
        size = len(over)
        before, inside = alive[block].clone(), over[:, :size].triu(1)
        # "keep what no better kept box covers" has one solution; repeated substitution finds it
        keep = before
        while True:
            new = before & ~(inside & keep[:, None]).any(0)
            if torch.equal(new, keep):
                break
            keep = new
        alive[block] = keep
        alive[start + size :] &= ~over[keep, size:].any(0)
    return order[alive]


def _bin_weights(start: float, length: float, bins: int, ratio: int, like: Tensor) -> Tensor:
    """Return (bins, size) weights of the cells of an axis in the mean of each bin of a RoI.

    The RoI starts at the cell ``start``. An inverted or infinite one has no samples, so that its
    weights are 0.
    """
    size = len(like)
    grid = ratio or (math.ceil(length / bins) if math.isfinite(start + length) else 0)
    if grid <= 0 or not math.isfinite(start + length):
        return like.new_zeros(bins, size)
    steps = torch.arange(bins * grid, device=like.device) + 0.5
    coords = start + steps * (length / (bins * grid))
    inside = (coords >= -1) & (coords <= size)  # samples farther outside count as 0
    cells = torch.arange(size, device=like.device)
    weights = (1 - (cells - coords.clamp(0, size - 1)[:, None]).abs()).clamp(min=0)
    return (weights * inside[:, None]).unflatten(0, (bins, grid)).mean(1).to(like)


def _roi_weights(
    rois: Tensor, like: Tensor, options: dict[str, Any]
) -> Iterator[tuple[int, Tensor, Tensor, slice, slice]]:
    """Yield image, weights along y and x, and the cells with a weight, of each RoI."""
    scale, ratio = options['spatial_scale'], options['sampling_ratio']
    shift = 0.5 if options['aligned'] else 0.0
    for index, left, top, right, bottom in rois.float().tolist():
        width, height = (right - left) * scale, (bottom - top) * scale
        if not options['aligned']:  # as in the first RoIAlign: at least one cell
            width, height = max(width, 1.0), max(height, 1.0)
        line_y, line_x = like[0, 0, :, 0], like[0, 0, 0]
        rows = _bin_weights(top * scale - shift, height, options['aligned_height'], ratio, line_y)
        cols = _bin_weights(left * scale - shift, width, options['aligned_width'], ratio, line_x)
        y, x = _touched(rows), _touched(cols)
        yield int(index), rows[:, y], cols[:, x], y, x


def _touched(weights: Tensor) -> slice:
    """Return the range of columns that are not all 0."""
    columns = weights.any(0).nonzero().flatten().tolist()
    return slice(columns[0], columns[-1] + 1) if columns else slice(0, 0)


def roi_align_forward(
    input: Tensor, rois: Tensor, output: Tensor, argmax_y: Tensor, argmax_x: Tensor, **options: Any
) -> None:
    """Pool each RoI to a fixed size (He et al., Mask R-CNN, ICCV 2017).

    Bilinear weights of a regular grid are products of weights along y and along x, so that a RoI
    is ``rows @ features @ columns.T``.

    Args:
        input (Tensor): (B, C, H, W).
        rois (Tensor): (R, 5), image index and xyxy in pixels of the image.
        output (Tensor): (R, C, h, w), receives the result.
        argmax_y (Tensor): Not used.
        argmax_x (Tensor): Not used.
        options (Any): ``aligned_height`` and ``aligned_width`` (h and w), ``spatial_scale`` (cells
            per pixel), ``sampling_ratio`` (samples of a bin along each axis, 0 for as many as it
            has cells), ``pool_mode`` (must be 1, the mean), ``aligned`` (whether centres of
            pixels are at half coordinates).

    Raises:
        NotImplementedError: If ``pool_mode`` is the maximum.
    """
    if options['pool_mode'] != MEAN_POOL:
        raise NotImplementedError('RoIAlign with the maximum needs an mmcv with compiled operators')
    fast = torchvision_ops()
    if fast:
        bins = options['aligned_height'], options['aligned_width']
        rest = (options[name] for name in ('spatial_scale', 'sampling_ratio', 'aligned'))
        output.copy_(fast.roi_align(input, rois.to(input), bins, *rest))
        return
    for i, (index, rows, cols, y, x) in enumerate(_roi_weights(rois, input, options)):
        output[i] = rows @ input[index, :, y, x] @ cols.T


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    **options: Any,
) -> None:
    """Add the gradient of :func:`roi_align_forward` by the features to ``grad_input``."""
    for i, (index, rows, cols, y, x) in enumerate(_roi_weights(rois, grad_input, options)):
        grad_input[index, :, y, x] += rows.T @ grad_output[i] @ cols


def _focal_loss(
    logits: Tensor, target: Tensor, weight: Tensor, gamma: float, alpha: float
) -> Tensor:
    """Compute the focal loss of each score (Lin et al., ICCV 2017, eq. 5)."""
    prob = logits.sigmoid()
    positive = -alpha * (1 - prob) ** gamma * F.logsigmoid(logits)
    negative = -(1 - alpha) * prob**gamma * F.logsigmoid(-logits)
    # background, label K, is an empty row
    one_hot = target[:, None] == torch.arange(logits.size(1), device=target.device)
    loss = torch.where(one_hot, positive, negative)
    return loss * F.pad(weight, (0, 1), value=1.0)[target][:, None] if weight.numel() else loss


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Write the focal loss of (N, K) logits and (N,) labels to ``output``."""
    output.copy_(_focal_loss(input, target, weight, gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Write the derivative of the loss by each logit to ``grad_input``."""
    with torch.enable_grad():
        logits = input.detach().requires_grad_()
        loss = _focal_loss(logits, target, weight, gamma, alpha).sum()
        grad_input.copy_(torch.autograd.grad(loss, logits)[0])


def ms_deform_attn_forward(
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    locations: Tensor,
    weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Sample values of several levels and add them up (Zhu et al., Deformable DETR, ICLR 2021).

    Args:
        value (Tensor): (B, S, heads, channels), S the cells of all levels.
        shapes (Tensor): (L, 2), height and width of each level.
        starts (Tensor): Not used.
        locations (Tensor): (B, queries, heads, L, points, 2), x and y in [0, 1].
        weights (Tensor): (B, queries, heads, L, points).
        im2col_step (int): Not used.

    Returns:
        Tensor: (B, queries, heads * channels).
    """
    plain = importlib.import_module('mmcv.ops.multi_scale_deform_attn')

    sizes = shapes.tolist()  # MMCV splits by it
    return plain.multi_scale_deformable_attn_pytorch(value, sizes, locations, weights)


def ms_deform_attn_backward(
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    locations: Tensor,
    weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_locations: Tensor,
    grad_weights: Tensor,
    im2col_step: int,
) -> None:
    """Write the gradients of :func:`ms_deform_attn_forward`."""
    with torch.enable_grad():
        inputs = [each.detach().requires_grad_() for each in (value, locations, weights)]
        output = ms_deform_attn_forward(inputs[0], shapes, starts, *inputs[1:], im2col_step)
        grads = torch.autograd.grad(output, inputs, grad_output)
    for target, grad in zip((grad_value, grad_locations, grad_weights), grads):
        target.copy_(grad)
