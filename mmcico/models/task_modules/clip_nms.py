"""Selection of distinct instances from the predictions for a clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import box_area, box_centres, covered_by_better, mutual_iou
from mmcico.structures.clip_masks import FlatMasks, compare_masks, mean_over
from mmcico.structures.devices import numbers_like


def all_boxes(clip: InstanceData) -> Tensor:
    """Return (T + 1, N, 4): the boxes of all frames, then the circumscribed ones."""
    return torch.cat([clip.bboxes, clip.circumscribed[:, None]], dim=1).transpose(0, 1)


@TASK_UTILS.register_module()
@dataclass(eq=False)
class ClipNMS:
    """Selects the instances of a clip (section 3.4, inference).

    The measures are those of the published models: boxes of all frames, circumscribed boxes and
    masks are compared together, class by class. A prediction can be kept for several classes.

    Args:
        score_thr (float): Predictions must have a higher class score.
        max_per_frame (int): Predictions that are kept before masks are drawn, for each frame of
            the clip.
        max_per_clip (int): The same for the whole clip; the smaller number counts.
        box_thr (float): Predictions whose boxes overlap a better one by more are dropped before
            masks are drawn.
        nms_thr (float): Overlap of boxes and masks that is allowed within a class.
        min_pixels (int): A mask must have more map pixels in some frame.
        min_share (float): A mask must cover more of its box in some frame.
        sure_iou (float): Mask IoU in one frame that proves a duplicate.
    """

    score_thr: float = 0.1
    max_per_frame: int = 100
    max_per_clip: int = 300
    box_thr: float = 0.9
    nms_thr: float = 0.5
    min_pixels: int = 5
    min_share: float = 0.1
    sure_iou: float = 0.9

    def select(self, scores: Tensor, num_frames: int) -> tuple[Tensor, Tensor]:
        """Return the predictions whose class score passes, the best ones if there are too many.

        Args:
            scores (Tensor): (Q, P, K) class scores.
            num_frames (int): T.

        Returns:
            tuple[Tensor, Tensor]: Query (N,) and anchor (N,) of each prediction.
        """
        best = scores.amax(dim=-1)
        query, prior = (best > self.score_thr).nonzero(as_tuple=True)
        limit = min(self.max_per_frame * num_frames, self.max_per_clip)
        if len(query) > limit:
            top = best[query, prior].topk(limit).indices
            query, prior = query[top], prior[top]
        return query, prior

    def box_nms(self, clip: InstanceData, input_shape: Sequence[int]) -> InstanceData:
        """Sort predictions and drop those whose boxes repeat a better one.

        Args:
            clip (InstanceData): ``class_scores`` (N, K), ``rank_weight`` (N,), ``bboxes``
                (N, T, 4), ``circumscribed`` (N, 4) in pixels.
            input_shape (Sequence[int]): Height and width of the input.

        Returns:
            InstanceData: Predictions in order of score times rank weight, without near copies and
            without boxes that are mostly outside.
        """
        key = clip.class_scores.amax(dim=1) * clip.rank_weight
        order = key.argsort(descending=True, stable=True)
        boxes = all_boxes(clip)[:, order]
        iou = mutual_iou(boxes)
        covered = covered_by_better((iou[:-1].mean(dim=0) + iou[-1]) / 2, self.box_thr)
        keep = ~covered & self._inside(boxes[:-1], input_shape)
        return clip[order[keep.nonzero()[:, 0]]]

    def mask_nms(self, clip: InstanceData, input_shape: Sequence[int]) -> InstanceData:
        """Drop empty masks and, class by class, duplicates.

        Args:
            clip (InstanceData): As from :meth:`box_nms`, and ``masks`` (N, T, h, w) probabilities.
            input_shape (Sequence[int]): Height and width of the input.

        Returns:
            InstanceData: Distinct instances, best score first, with ``scores`` (M,) and
            ``labels`` (M,) added.
        """
        masks, boxes = FlatMasks.of(clip.masks > 0.5), all_boxes(clip)
        cell = input_shape[0] * input_shape[1] / (clip.masks.shape[-2] * clip.masks.shape[-1])
        kept = self._well_drawn(masks.areas, boxes[:-1], cell).nonzero()[:, 0]
        keys = (clip.class_scores * clip.rank_weight[:, None])[kept].T
        labels = (keys > self.score_thr).any(dim=1).nonzero()[:, 0]
        keys, order = keys[labels].sort(dim=1, descending=True, stable=True)
        overlap = self.reorder(self.overlap(masks.take(kept), boxes[:, kept]), order)
        keep = ~covered_by_better(overlap, self.nms_thr) & (keys > self.score_thr)
        which, place = keep.nonzero(as_tuple=True)
        index, labels = kept[order[which, place]], labels[which]
        scores, best = clip.class_scores[index, labels].sort(descending=True, stable=True)
        result = clip[index[best]]
        result.scores, result.labels = scores, labels[best]
        return result

    def overlap(self, masks: FlatMasks, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the overlap of all pairs of N predictions, (N, N), in two parts to be summed.

        Boxes and masks of frames are compared where both masks are seen, because the box of a
        hidden object means little. A pair whose masks have an IoU above ``sure_iou`` in any such
        frame is one object: the overlap of its masks is 1.

        Args:
            masks (FlatMasks): Masks of T frames.
            boxes (Tensor): (T + 1, N, 4), see :func:`all_boxes`.
        """
        box_iou = mutual_iou(boxes)
        mask_iou, smaller = compare_masks(masks, masks)
        seen = smaller > self.min_pixels
        sure = ((mask_iou > self.sure_iou) & seen).any(dim=0)
        both = mean_over(torch.stack([box_iou[:-1], mask_iou], dim=1), seen[:, None])
        return 0.25 * both[0] + 0.5 * both[1].masked_fill(sure, 1.0), 0.25 * box_iou[-1]

    def reorder(self, overlap: tuple[Tensor, Tensor], order: Tensor) -> Tensor:
        """Return the overlap of predictions in each class's own order.

        Args:
            overlap (tuple[Tensor, Tensor]): Two parts (N, N).
            order (Tensor): (..., N) indices, best first.

        Returns:
            Tensor: (..., N, N).
        """
        return (overlap[0] + overlap[1])[order[..., :, None], order[..., None, :]]

    def _inside(self, boxes: Tensor, size: Sequence[int]) -> Tensor:
        """Return (N,) bool, whether boxes (T, N, 4) have enough centres in the image."""
        centre = box_centres(boxes)
        limit = numbers_like(centre, [size[1], size[0]])
        inside = ((centre > 0) & (centre < limit)).all(dim=-1)
        return inside.sum(dim=0) >= max(len(boxes) // 2, 1)

    def _well_drawn(self, areas: Tensor, boxes: Tensor, cell: float) -> Tensor:
        """Return (N,) bool, whether the mask is large enough in some frame.

        Masks have ``areas`` (T, N), in cells of the map that are ``cell`` input pixels large; boxes
        are (T, N, 4).
        """
        large = areas > self.min_pixels
        fills = areas * cell / box_area(boxes).clamp(min=1e-6) > self.min_share
        return large.any(dim=0) & fills.any(dim=0)


@TASK_UTILS.register_module()
class PublishedClipNMS(ClipNMS):
    """:class:`ClipNMS` with the mispaired term of the published models.

    In a class's order, the circumscribed box of the better prediction is compared with that of
    the prediction which stands at the other's place in the order of best scores. It matters where
    the two orders differ, and is needed to get the published results from published weights; use
    :class:`ClipNMS` for everything else.
    """

    def reorder(self, overlap: tuple[Tensor, Tensor], order: Tensor) -> Tensor:
        """Return the overlap in each class's own order, with the mispaired term."""
        rows = order[..., :, None]
        return overlap[0][rows, order[..., None, :]] + overlap[1][order]
