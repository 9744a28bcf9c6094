"""Boxes of clips: ``(N, T, 4)`` absolute ``xyxy``, one box a frame."""

import torch
from torch import Tensor


def circumscribed_boxes(boxes: Tensor, visible: Tensor | None = None) -> Tensor:
    """Circumscribed box of each instance over a clip, eq. 4 of the paper.

    Args:
        boxes (Tensor): (N, T, 4) xyxy.
        visible (Tensor, optional): (N, T) bool, frames that count. All of
            them when left out.

    Returns:
        Tensor: (N, 4) xyxy, zeros for an instance that is never visible.
    """
    if visible is None:
        return torch.cat([boxes[..., :2].amin(dim=1), boxes[..., 2:].amax(dim=1)], dim=-1)
    unseen = ~visible.unsqueeze(-1)
    low = boxes[..., :2].masked_fill(unseen, float('inf')).amin(dim=1)
    high = boxes[..., 2:].masked_fill(unseen, float('-inf')).amax(dim=1)
    seen = visible.any(dim=1, keepdim=True)
    return torch.cat([low, high], dim=-1).where(seen, boxes.new_zeros(()))


def box_area(boxes: Tensor) -> Tensor:
    """Areas of boxes, 0 for turned ones.

    Args:
        boxes (Tensor): (..., 4) xyxy.

    Returns:
        Tensor: (...).
    """
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)


def intersection(a: Tensor, b: Tensor) -> Tensor:
    """Areas in common of boxes that broadcast against each other.

    Args:
        a (Tensor): (..., 4) xyxy.
        b (Tensor): (..., 4) xyxy.

    Returns:
        Tensor: (...).
    """
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    return (high - low).clamp(min=0).prod(dim=-1)


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes that broadcast against each other.

    Args:
        a (Tensor): (..., 4) xyxy, for all pairs (N, 1, 4).
        b (Tensor): (..., 4) xyxy, for all pairs (1, M, 4).

    Returns:
        Tensor: (...) in [0, 1], 0 for two empty boxes.
    """
    inter = intersection(a, b)
    union = box_area(a) + box_area(b) - inter
    return inter / union.clamp(min=torch.finfo(union.dtype).tiny)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of all pairs.

    Args:
        a (Tensor): (N, 4) xyxy.
        b (Tensor): (M, 4) xyxy.

    Returns:
        Tensor: (N, M).
    """
    return box_iou(a[:, None], b[None])


def pairwise_clip_iou(a: Tensor, b: Tensor) -> Tensor:
    """Mean over frames of the IoU of all pairs of clip boxes.

    Args:
        a (Tensor): (N, T, 4) xyxy.
        b (Tensor): (M, T, 4) xyxy.

    Returns:
        Tensor: (N, M).
    """
    return box_iou(a[:, None], b[None]).mean(dim=-1)


def pairwise_frame_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of all pairs of clip boxes, frame by frame.

    Args:
        a (Tensor): (N, T, 4) xyxy.
        b (Tensor): (M, T, 4) xyxy.

    Returns:
        Tensor: (T, N, M).
    """
    return box_iou(a[:, None], b[None]).permute(2, 0, 1)


def scale_boxes(boxes: Tensor, factor: float) -> Tensor:
    """Scale boxes about their centres.

    Args:
        boxes (Tensor): (..., 4) xyxy.
        factor (float): New over old width and height.

    Returns:
        Tensor: (..., 4).
    """
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = (boxes[..., 2:] - boxes[..., :2]) / 2 * factor
    return torch.cat([centre - half, centre + half], dim=-1)


def grow_boxes(boxes: Tensor, least: Tensor) -> Tensor:
    """Give boxes a least width and height, about their centres.

    Args:
        boxes (Tensor): (..., 4) xyxy.
        least (Tensor): (2,) least width and height.

    Returns:
        Tensor: (..., 4).
    """
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = torch.maximum(boxes[..., 2:] - boxes[..., :2], least) / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def fill_from_nearest(boxes: Tensor, visible: Tensor) -> Tensor:
    """Give each hidden frame the box of the nearest visible one.

    Args:
        boxes (Tensor): (N, T, 4).
        visible (Tensor): (N, T) bool. Of two frames equally near, the
            earlier one is taken.

    Returns:
        Tensor: (N, T, 4), unchanged for an instance that is never visible.
    """
    steps = torch.arange(boxes.shape[1], device=boxes.device)
    gap = (steps[:, None] - steps[None]).abs()
    gap = gap[None].masked_fill(~visible[:, None], boxes.shape[1])
    nearest = gap.argmin(dim=-1)
    filled = boxes.gather(1, nearest.unsqueeze(-1).expand_as(boxes))
    return filled.where(visible.any(dim=1)[:, None, None], boxes)
