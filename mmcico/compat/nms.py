"""Non-maximum suppression in PyTorch, called as mmcv calls its operators.

Signatures: ``mmcv/ops/nms.py`` of mmcv 2.1.0 and onedl-mmcv 2.3.6.
"""

import torch
from torch import Tensor

__all__ = ['nms', 'softnms']

# rows of the IoU matrix held at once: 512 x 10000 floats are 20 MB
BLOCK = 512


def pairwise_iou(rows: Tensor, cols: Tensor, offset: int) -> Tensor:
    """IoU of two sets of boxes.

    Args:
        rows (Tensor): (N, 4) xyxy.
        cols (Tensor): (M, 4) xyxy.
        offset (int): 1 if the right and lower border belong to the box.

    Returns:
        Tensor: (N, M), 0 where both boxes are empty.
    """
    low = torch.max(rows[:, None, :2], cols[None, :, :2])
    high = torch.min(rows[:, None, 2:], cols[None, :, 2:])
    inter = (high - low + offset).clamp(min=0).prod(-1)
    area_rows = (rows[:, 2:] - rows[:, :2] + offset).prod(-1)
    area_cols = (cols[:, 2:] - cols[:, :2] + offset).prod(-1)
    union = area_rows[:, None] + area_cols - inter
    return torch.where(union > 0, inter / union, torch.zeros_like(inter))


def _greedy_keep(suppresses: Tensor) -> Tensor:
    """Greedy suppression within one block, without a loop over its boxes.

    The greedy answer is the only solution of ``keep[j] = no i < j with
    keep[i] and suppresses[i, j]``; repeated substitution reaches it after at
    most as many steps as the longest chain of suppressions.

    Args:
        suppresses (Tensor): (N, N) bool, strictly upper triangular.

    Returns:
        Tensor: (N,) bool.
    """
    keep = suppresses.new_ones(len(suppresses))
    while True:
        new = ~(suppresses & keep[:, None]).any(0)
        if torch.equal(new, keep):
            return keep
        keep = new


def nms(bboxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Greedy NMS: a box is dropped if its IoU with a kept, better one is
    above ``iou_threshold``.

    Args:
        bboxes (Tensor): (N, 4) xyxy.
        scores (Tensor): (N,).
        iou_threshold (float): in [0, 1].
        offset (int): 1 if the right and lower border belong to the box.

    Returns:
        Tensor: (K,) long, kept rows, best score first.
    """
    order = scores.sort(descending=True, stable=True).indices
    boxes = bboxes[order].float()
    alive = torch.ones_like(order, dtype=torch.bool)
    for start in range(0, len(order), BLOCK):
        stop = min(start + BLOCK, len(order))
        iou = pairwise_iou(boxes[start:stop], boxes[start:], offset)
        over = iou > iou_threshold
        over[~alive[start:stop]] = False
        inside = over[:, : stop - start].triu(1)
        keep = alive[start:stop] & _greedy_keep(inside)
        alive[start:stop] = keep
        alive[stop:] &= ~over[keep][:, stop - start :].any(0)
    return order[alive]


def _decay(iou: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    """Factor of the scores: method 0 hard, 1 linear, 2 Gaussian."""
    if method == 2:
        return torch.exp(-iou.square() / sigma)
    low = 1 - iou if method == 1 else torch.zeros_like(iou)
    return torch.where(iou >= iou_threshold, low, torch.ones_like(iou))


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft NMS (Bodla et al., ICCV 2017); writes into ``dets``.

    Args:
        boxes (Tensor): (N, 4) xyxy.
        scores (Tensor): (N,).
        dets (Tensor): (N, 5), its first K rows become box and score.
        iou_threshold (float): methods 0 and 1 act from this IoU on.
        sigma (float): width of method 2.
        min_score (float): boxes fall out when their score gets below.
        method (int): 0 hard, 1 linear, 2 Gaussian.
        offset (int): 1 if the right and lower border belong to the box.

    Returns:
        Tensor: (K,) long, kept rows in the order of choice.
    """
    scores = scores.clone()
    left = torch.arange(len(boxes), device=boxes.device)
    chosen = []
    while len(left):
        best = left[scores[left].argmax()]
        dets[len(chosen), :4] = boxes[best]
        dets[len(chosen), 4] = scores[best]
        chosen.append(best)
        left = left[left != best]
        iou = pairwise_iou(boxes[best][None], boxes[left], offset)[0]
        scores[left] *= _decay(iou, iou_threshold, sigma, method)
        left = left[scores[left] >= min_score]
    return torch.stack(chosen) if chosen else left
