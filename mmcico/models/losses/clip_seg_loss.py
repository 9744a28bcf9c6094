"""Clip-level segmentation loss (eq. 8) and its targets."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmcico.registry import MODELS
from mmcico.structures.clip_masks import crop_region
from mmcico.structures.devices import numbers_like

from .over_processes import divisor


def at_map_size(masks: Tensor, size: Sequence[int]) -> Tensor:
    """Compute the share (G, T, h, w) of each pixel of a map that masks (G, T, H, W) cover."""
    if masks.numel() == 0:
        return masks.new_zeros((*masks.shape[:2], *size), dtype=torch.float)
    return F.adaptive_avg_pool2d(masks.float(), (size[0], size[1]))


def sample_positives(clip_index: Tensor, limit: int) -> Tensor:
    """Choose at most ``limit`` positives of each clip at random.

    ``clip_index`` (N,) is the clip of each positive, in ascending order. Returns the sorted indices
    of those kept, all if there are few enough.
    """
    order = torch.arange(len(clip_index), device=clip_index.device)
    kept = []
    for index in clip_index.unique():
        mine = order[clip_index == index]
        if len(mine) > limit:
            pick = torch.randperm(len(mine), device=mine.device)[:limit]
            mine = mine[pick.sort().values]
        kept.append(mine)
    return torch.cat(kept) if kept else order


def frame_weights(query: Tensor, num_frames: int, decay: float) -> Tensor:
    """Compute the weights (N, T) of the frames of a clip relative to its query frame (N,).

    They are ``decay ** |t - query|``, divided by their sum: equal for 1, the query frame alone for
    0.
    """
    steps = torch.arange(num_frames, device=query.device)
    gap = (steps[None] - query[:, None]).abs()
    weight = torch.as_tensor(float(decay), device=query.device) ** gap
    return weight / weight.sum(dim=1, keepdim=True)


def boxed_bce(logits: Tensor, targets: Tensor, boxes: Tensor) -> Tensor:
    """Compute the binary cross entropy (N, T), the mean over the pixels of a box.

    Logits and targets are (N, T, h, w); the boxes (N, 4), xyxy in map pixels, hold for all frames.
    """
    inside = crop_region(boxes, logits.shape[-2:]).to(logits)
    loss = F.binary_cross_entropy_with_logits(
        logits, targets, weight=inside[:, None], reduction='none'
    )
    return loss.sum(dim=(2, 3)) / inside.sum(dim=(1, 2)).clamp(min=1)[:, None]


def boxed_dice(logits: Tensor, targets: Tensor, boxes: Tensor) -> Tensor:
    """Compute the Dice loss (N, T) inside boxes (Milletari et al., V-Net), from 0 to 1.

    The arguments are those of :func:`boxed_bce`.
    """
    inside = crop_region(boxes, logits.shape[-2:]).to(logits)[:, None]
    probs = logits.sigmoid() * inside
    targets = targets * inside
    both = (probs * targets).sum(dim=(2, 3))
    size = probs.square().sum(dim=(2, 3)) + targets.square().sum(dim=(2, 3))
    # a pixel more, so that an empty mask for an empty target costs nothing
    return 1 - (2 * both + 1) / (size + 1)


def mean_of_clips(loss: Tensor, query: Tensor, decay: float) -> Tensor:
    """Return the mean of (N, T) losses over all processes; 0 with a graph for N = 0."""
    weight = frame_weights(query, loss.shape[1], decay)
    return (loss * weight).sum() / divisor(numbers_like(loss, len(loss)))


@MODELS.register_module()
class ClipSegLoss(BaseModule):
    """Binary cross entropy of a clip's masks inside the circumscribed box.

    The loss is divided by the box's area and averaged over frames and positives. The query frame's
    term is the intra-frame loss, the others are the inter-frame loss that keeps masks coherent
    (Table 1a), also with 2D heads.

    Args:
        decay (float): Weight of frame t is ``decay ** |t - query|``: 1 in the paper, 0.9 in the
            published models, 0 without the inter-frame part.
        loss_weight (float): Weight of the loss.
    """

    compare = staticmethod(boxed_bce)

    def __init__(self, decay: float = 1.0, loss_weight: float = 6.125) -> None:
        super().__init__()
        self.decay = decay
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, boxes: Tensor, query: Tensor) -> Tensor:
        """Compare masks.

        Args:
            logits (Tensor): (N, T, h, w).
            targets (Tensor): (N, T, h, w) in [0, 1], empty in hidden frames.
            boxes (Tensor): (N, 4) circumscribed boxes in map pixels.
            query (Tensor): (N,) query frame of each positive.

        Returns:
            Tensor: Scalar.
        """
        loss = self.compare(logits, targets, boxes)
        return self.loss_weight * mean_of_clips(loss, query, self.decay)


@MODELS.register_module()
class ClipDiceLoss(ClipSegLoss):
    """Dice loss of a clip's masks, otherwise like :class:`ClipSegLoss`.

    Args:
        decay (float): As in :class:`ClipSegLoss`.
        loss_weight (float): Weight of the loss.
    """

    compare = staticmethod(boxed_dice)

    def __init__(self, decay: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__(decay, loss_weight)
