"""Matching of the anchors of query frames with the objects of a clip (eq. 4, Table 1c)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import box_area, box_iou, circumscribed_boxes, intersection


class MatchResult(NamedTuple):
    """Match of P anchors and G objects in each of Q query frames.

    Attributes:
        quality (Tensor): (Q, G, P), not negative. Each visible object gets the anchor where its
            quality is highest, whatever the other fields say.
        owner (Tensor): (Q, P) the object that an anchor predicts if it is positive.
        positive (Tensor): (Q, P) bool: the anchor predicts its owner.
        ignored (Tensor): (Q, P) bool: the anchor is not background either; positive ones may be
            among them.
    """

    quality: Tensor
    owner: Tensor
    positive: Tensor
    ignored: Tensor


def window_boxes(boxes: Tensor, visible: Tensor, query_frames: Sequence[int], reach: int) -> Tensor:
    """Compute circumscribed boxes (Q, G, 4) over the frames near each query frame.

    Boxes are (G, T, 4), ``visible`` (G, T) bool; ``reach`` is the number of frames before and after
    a query frame that count: 1 in the paper, 0 for plain boxes. Objects that are not visible there
    have zeros.
    """
    frames = torch.arange(boxes.shape[1], device=boxes.device)
    gap = frames - torch.as_tensor(query_frames, device=boxes.device)[:, None]
    near = visible & (gap.abs() <= reach)[:, None]
    return circumscribed_boxes(boxes.expand(len(near), *boxes.shape), near)


def best_prior_of_each(quality: Tensor, shown: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give every object (Q, G) that is shown one anchor, no anchor twice.

    The result is that of taking the pair with the highest quality (Q, G, P), which is not negative,
    first and leaving its row and column out from then on. Pairs that are the best of both their row
    and their column are taken together, which gives the same pairs in fewer steps. Returns query
    frames, objects and anchors, (n,) each.
    """
    left = quality.masked_fill(~shown[..., None], -1)
    index = torch.arange(left.shape[1], device=left.device)
    pairs = []
    for _ in range(min(left.shape[1:])):
        prior, gt = left.argmax(dim=2), left.argmax(dim=1)
        mutual = (left.amax(dim=2) >= 0) & (gt.gather(1, prior) == index)
        query, gt = mutual.nonzero(as_tuple=True)
        if len(query) == 0:
            break
        taken = prior[query, gt]
        pairs.append(torch.stack([query, gt, taken]))
        left[query, gt] = -1
        left[query, :, taken] = -1
    found = torch.cat(pairs, dim=1) if pairs else shown.new_zeros(3, 0, dtype=torch.long)
    return found[0], found[1], found[2]


def on_crowd(priors: Tensor, crowds: Sequence[Tensor], thr: float) -> Tensor:
    """Return (Q, P) bool, whether a region of uncounted objects covers a share above ``thr``.

    The share is that of the area of an anchor. Anchors are (P, 4) xyxy, like the (M, 4) regions of
    each of Q frames.
    """
    regions = torch.cat(list(crowds)).to(priors)
    inter = intersection(priors, regions[:, None]) / box_area(priors)
    hits = (inter > thr).split([len(each) for each in crowds])
    return torch.stack([each.any(dim=0) for each in hits])


class QueryFrameAssigner(ABC):
    """Base of assigners of clips; subclasses implement :meth:`match`.

    Objects that a query frame does not show are not matched. Each object that it shows gets at
    least one anchor of its own. Without such an object, all anchors are background. Anchors on
    crowd regions are ignored.

    Args:
        reach (int): Frames before and after the query frame over which the circumscribed box
            (eq. 4) extends. 1 is the paper's; 0 gives plain boxes (Table 1c).
        ignore_thr (float): An anchor is ignored, unless it is positive, if a crowd region covers
            more than this share of it.

    Raises:
        ValueError: If ``reach`` is negative.
    """

    def __init__(self, reach: int = 1, ignore_thr: float = 0.7) -> None:
        if reach < 0:
            raise ValueError(f'reach must not be negative, got {reach}')
        self.reach = reach
        self.ignore_thr = ignore_thr

    @abstractmethod
    def match(
        self, priors: Tensor, boxes: Tensor, circumscribed: Tensor, shown: Tensor
    ) -> MatchResult:
        """Compare anchors with the objects of all query frames.

        Args:
            priors (Tensor): (P, 4) xyxy.
            boxes (Tensor): (Q, G, 4) boxes in the query frames, G > 0.
            circumscribed (Tensor): (Q, G, 4) circumscribed boxes.
            shown (Tensor): (Q, G) bool; other objects must own no anchor.

        Returns:
            MatchResult: Of all pairs.
        """

    def assign_frames(
        self,
        priors: Tensor,
        instances: InstanceData,
        crowds: Sequence[Tensor],
        query_frames: Sequence[int],
    ) -> Tensor:
        """Match the anchors of each query frame with the objects of a clip.

        Args:
            priors (Tensor): (P, 4) xyxy.
            instances (InstanceData): ``bboxes`` (G, T, 4) and ``visible`` (G, T) bool.
            crowds (Sequence[Tensor]): Of each of T frames (M, 4) crowd regions.
            query_frames (Sequence[int]): Q indices of frames.

        Returns:
            Tensor: (Q, P) long: g + 1 for object g, 0 for background, -1 if ignored.
        """
        query = list(query_frames)
        crowded = on_crowd(priors, [crowds[frame] for frame in query], self.ignore_thr)
        if len(instances) == 0:
            return -crowded.long()
        shown = instances.visible[:, query].T
        boxes = instances.bboxes.to(priors)
        matched = self.match(
            priors,
            boxes[:, query].transpose(0, 1),
            window_boxes(boxes, instances.visible, query, self.reach),
            shown,
        )
        owner, positive = matched.owner, matched.positive
        where, gts, forced = best_prior_of_each(matched.quality, shown)
        owner[where, forced], positive[where, forced] = gts, True
        return torch.where(positive, owner + 1, -(crowded | matched.ignored).long())


@TASK_UTILS.register_module()
class CircumscribedAssigner(QueryFrameAssigner):
    """Matches anchors with circumscribed boxes by their IoU.

    An object is represented by its circumscribed box over the query frame, the one before and
    the one after, as far as they are in the clip and show the object. Objects hidden in the
    query frame are not matched.

    Args:
        pos_iou_thr (float): Anchors with at least this IoU are positive.
        neg_iou_thr (float): Anchors with a lower IoU are background; those between the two
            thresholds are ignored.
        reach (int): As in :class:`QueryFrameAssigner`.
        ignore_thr (float): As in :class:`QueryFrameAssigner`.

    Raises:
        ValueError: If the thresholds are not ordered.
    """

    def __init__(
        self,
        pos_iou_thr: float = 0.5,
        neg_iou_thr: float = 0.4,
        reach: int = 1,
        ignore_thr: float = 0.7,
    ) -> None:
        super().__init__(reach, ignore_thr)
        if not 0 <= neg_iou_thr <= pos_iou_thr <= 1:
            raise ValueError(
                'expected 0 <= neg_iou_thr <= pos_iou_thr <= 1, got '
                f'neg_iou_thr={neg_iou_thr}, pos_iou_thr={pos_iou_thr}'
            )
        self.pos_iou_thr = pos_iou_thr
        self.neg_iou_thr = neg_iou_thr

    def match(
        self, priors: Tensor, boxes: Tensor, circumscribed: Tensor, shown: Tensor
    ) -> MatchResult:
        """Compare anchors with circumscribed boxes; see :class:`QueryFrameAssigner`."""
        overlaps = box_iou(circumscribed[:, :, None], priors)
        best, owner = overlaps.masked_fill(~shown[..., None], -1).max(dim=1)
        return MatchResult(overlaps, owner, best >= self.pos_iou_thr, best >= self.neg_iou_thr)
