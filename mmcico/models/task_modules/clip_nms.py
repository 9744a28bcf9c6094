"""Selection of distinct instances from the predictions for a clip."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import (
    box_area,
    box_centres,
    covered_by_better,
    pairwise_clip_iou,
    pairwise_frame_iou,
    pairwise_iou,
)
from mmcico.structures.clip_masks import both_seen, mean_over, pairwise_mask_iou
from mmcico.structures.devices import chosen_rows, numbers_like


def mask_box_share(masks: Tensor, boxes: Tensor, cells: tuple[float, float]) -> Tensor:
    """Compute the shares (N, T) of frame boxes that masks cover.

    Masks are (N, T, h, w) bool, boxes (N, T, 4) xyxy in input pixels; ``cells`` are the height and
    the width of a map pixel in input pixels.
    """
    pixels = masks.flatten(2).sum(-1) * (cells[0] * cells[1])
    return pixels / box_area(boxes).clamp(min=1e-6)


def clip_mask_overlap(masks: Tensor, seen: Tensor, sure_iou: float) -> Tensor:
    """Compute the mean mask IoU (N, N) over the frames in which both masks of a pair are seen.

    Masks are (N, T, h, w) bool; ``seen`` (T, N, N) is that of :func:`both_seen`. Pairs that are
    never seen together have 0. A pair with an IoU above ``sure_iou`` in any such frame is one
    object: its overlap is 1.
    """
    iou = pairwise_mask_iou(masks, masks)
    sure = ((iou > sure_iou) & seen).any(dim=0)
    return mean_over(iou, seen).masked_fill(sure, 1.0)


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
        best = scores.amax(dim=-1).flatten()
        index = (best > self.score_thr).nonzero()[:, 0]
        limit = min(self.max_per_frame * num_frames, self.max_per_clip)
        if len(index) > limit:
            index = index[best[index].topk(limit).indices]
        return index // scores.shape[1], index % scores.shape[1]

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
        clip = clip[key.argsort(descending=True, stable=True)]
        overlap = (
            pairwise_clip_iou(clip.bboxes, clip.bboxes)
            + pairwise_iou(clip.circumscribed, clip.circumscribed)
        ) / 2
        keep = ~covered_by_better(overlap, self.box_thr)
        return chosen_rows(clip, keep & self._inside(clip.bboxes, input_shape))

    def mask_nms(self, clip: InstanceData, input_shape: Sequence[int]) -> InstanceData:
        """Drop empty masks and, class by class, duplicates.

        Args:
            clip (InstanceData): As from :meth:`box_nms`, and ``masks`` (N, T, h, w) probabilities.
            input_shape (Sequence[int]): Height and width of the input.

        Returns:
            InstanceData: Distinct instances, best score first, with ``scores`` (M,) and
            ``labels`` (M,) added.
        """
        clip = chosen_rows(clip, self._well_drawn(clip, input_shape))
        overlap = self.overlap(clip)
        keys = (clip.class_scores * clip.rank_weight[:, None]).T
        labels = (keys > self.score_thr).any(dim=1).nonzero()[:, 0]
        keys = keys[labels]
        order = keys.argsort(dim=1, descending=True, stable=True)
        keep = ~covered_by_better(self.reorder(overlap, order), self.nms_thr)
        keep &= keys.gather(1, order) > self.score_thr
        which, place = keep.nonzero(as_tuple=True)
        index, labels = order[which, place], labels[which]
        scores = clip.class_scores[index, labels]
        best = scores.argsort(descending=True, stable=True)
        result = clip[index[best]]
        result.scores, result.labels = scores[best], labels[best]
        return result

    def overlap(self, clip: InstanceData) -> tuple[Tensor, Tensor]:
        """Return the overlap of all pairs of predictions, (N, N), in two parts to be summed.

        Boxes and masks of frames are compared where both masks are seen, because the box of a
        hidden object means little.
        """
        masks = clip.masks > 0.5
        seen = both_seen(masks, masks, self.min_pixels)
        boxes = mean_over(pairwise_frame_iou(clip.bboxes, clip.bboxes), seen)
        circumscribed = pairwise_iou(clip.circumscribed, clip.circumscribed)
        masks = clip_mask_overlap(masks, seen, self.sure_iou)
        return 0.25 * boxes + 0.5 * masks, 0.25 * circumscribed

    def reorder(self, overlap: tuple[Tensor, Tensor], order: Tensor) -> Tensor:
        """Return the overlap of predictions in each class's own order.

        Args:
            overlap (tuple[Tensor, Tensor]): Two parts (N, N).
            order (Tensor): (..., N) indices, best first.

        Returns:
            Tensor: (..., N, N).
        """
        rows, columns = order[..., :, None], order[..., None, :]
        return overlap[0][rows, columns] + overlap[1][rows, columns]

    def _inside(self, boxes: Tensor, size: Sequence[int]) -> Tensor:
        """Return (N,) bool, whether centres lie in the image in enough frames."""
        centre = box_centres(boxes)
        limit = numbers_like(centre, [size[1], size[0]])
        inside = ((centre > 0) & (centre < limit)).all(dim=-1)
        return inside.sum(dim=1) >= max(boxes.shape[1] // 2, 1)

    def _well_drawn(self, clip: InstanceData, input_shape: Sequence[int]) -> Tensor:
        """Return (N,) bool, whether the mask is large enough in some frame."""
        masks = clip.masks > 0.5
        cells = (input_shape[0] / masks.shape[-2], input_shape[1] / masks.shape[-1])
        large = masks.flatten(2).sum(-1) > self.min_pixels
        fills = mask_box_share(masks, clip.bboxes, cells) > self.min_share
        return large.any(dim=1) & fills.any(dim=1)


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
