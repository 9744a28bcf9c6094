"""Boxes of clips: ``(N, T, 4)`` absolute ``xyxy``, one box a frame."""

import torch
from torch import Tensor


def circumscribed_boxes(boxes: Tensor, visible: Tensor | None = None) -> Tensor:
    """Compute the circumscribed box of each instance over a clip, eq. 4 of the paper.

    Args:
        boxes (Tensor): (..., T, 4) xyxy.
        visible (Tensor, optional): (..., T) bool, frames that count; all by default.

    Returns:
        Tensor: (..., 4) xyxy, zeros for an instance that is never visible.
    """
    low, high = boxes[..., :2], boxes[..., 2:]
    if visible is None:
        return torch.cat([low.amin(dim=-2), high.amax(dim=-2)], dim=-1)
    hidden = ~visible.unsqueeze(-1)
    low = low.masked_fill(hidden, float('inf')).amin(dim=-2)
    high = high.masked_fill(hidden, float('-inf')).amax(dim=-2)
    seen = visible.any(dim=-1, keepdim=True)
    return torch.cat([low, high], dim=-1).where(seen, boxes.new_zeros(()))


def box_centres(boxes: Tensor) -> Tensor:
    """Return the centres (..., 2), x and y, of boxes (..., 4) xyxy."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def box_area(boxes: Tensor) -> Tensor:
    """Compute the areas (...) of boxes (..., 4) xyxy; inverted boxes have the area 0."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)


def intersection(a: Tensor, b: Tensor) -> Tensor:
    """Compute the areas (...) that boxes (..., 4) xyxy have in common, with broadcasting."""
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    return (high - low).clamp(min=0).prod(dim=-1)


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Compute the IoU (...) of boxes (..., 4) xyxy, with broadcasting; 0 for two empty boxes."""
    return _iou(intersection(a, b), box_area(a), box_area(b))


def _iou(inter: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return the IoU of areas and what they have in common."""
    union = a + b - inter
    return inter / union.clamp(min=torch.finfo(union.dtype).tiny)


def mutual_iou(boxes: Tensor) -> Tensor:
    """Compute the IoU (..., N, N) of all pairs of boxes (..., N, 4) xyxy with each other."""
    area = box_area(boxes)
    inter = intersection(boxes[..., :, None, :], boxes[..., None, :, :])
    return _iou(inter, area[..., :, None], area[..., None, :])


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """Compute the IoU (N, M) of all pairs of boxes (N, 4) and (M, 4) xyxy."""
    return box_iou(a[:, None], b[None])


def pairwise_clip_iou(a: Tensor, b: Tensor) -> Tensor:
    """Compute the IoU (N, M), mean over frames, of all pairs of clip boxes (N or M, T, 4)."""
    return box_iou(a[:, None], b[None]).mean(dim=-1)


def pairwise_frame_iou(a: Tensor, b: Tensor) -> Tensor:
    """Compute the IoU (T, N, M) of all pairs of clip boxes (N or M, T, 4), frame by frame."""
    return box_iou(a[:, None], b[None]).permute(2, 0, 1)


def scale_boxes(boxes: Tensor, factor: float) -> Tensor:
    """Scale boxes (..., 4) xyxy about their centres by a factor."""
    centre, half = box_centres(boxes), (boxes[..., 2:] - boxes[..., :2]) * (factor / 2)
    return torch.cat([centre - half, centre + half], dim=-1)


def grow_boxes(boxes: Tensor, least: Tensor) -> Tensor:
    """Enlarge boxes (..., 4) xyxy about their centres to a least width and height (2,)."""
    centre = box_centres(boxes)
    half = torch.maximum(boxes[..., 2:] - boxes[..., :2], least) / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def fill_from_nearest(boxes: Tensor, visible: Tensor) -> Tensor:
    """Give each hidden frame of boxes (N, T, 4) the box of the nearest visible one, (N, T) bool.

    Of two frames equally near, the earlier one is taken. The boxes of an instance that is never
    visible stay.
    """
    steps = torch.arange(boxes.shape[1], device=boxes.device)
    gap = (steps[:, None] - steps[None]).abs()
    gap = gap[None].masked_fill(~visible[:, None], boxes.shape[1])
    nearest = gap.argmin(dim=-1)
    filled = boxes.gather(1, nearest.unsqueeze(-1).expand_as(boxes))
    return filled.where(visible.any(dim=1)[:, None, None], boxes)


def covered_by_better(overlap: Tensor, thr: float) -> Tensor:
    """Return (..., N) bool, whether a better prediction overlaps by more than a threshold.

    ``overlap`` is (..., N, N), better predictions first. Predictions that are covered themselves
    cover others too, so that one matrix decides all (Fast NMS of YOLACT).
    """
    return (overlap.triu(diagonal=1) > thr).any(dim=-2)
