"""Matching of one query frame's anchors with the objects of a clip."""

from abc import abstractmethod
from typing import NamedTuple

import torch
from mmdet.models.task_modules import AssignResult, BaseAssigner
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.clip_boxes import box_area, circumscribed_boxes, intersection


class MatchResult(NamedTuple):
    """How P anchors fit G objects that the query frame shows.

    Attributes:
        quality (Tensor): (G, P); each object gets the anchor where it is
            highest, whatever the other fields say.
        owner (Tensor): (P,) the object that an anchor stands for, if any.
        positive (Tensor): (P,) bool: the anchor stands for its owner.
        ignored (Tensor): (P,) bool: it is no background either; positive
            ones may be among them.
    """

    quality: Tensor
    owner: Tensor
    positive: Tensor
    ignored: Tensor


def window_boxes(boxes: Tensor, visible: Tensor, query: int, reach: int) -> Tensor:
    """Circumscribed boxes over the frames around the query frame.

    Args:
        boxes (Tensor): (G, T, 4) xyxy.
        visible (Tensor): (G, T) bool, frames that count.
        query (int): Index of the query frame.
        reach (int): Frames before and after it that count: 1 in the paper,
            0 for plain boxes.

    Returns:
        Tensor: (G, 4).
    """
    low, high = max(query - reach, 0), query + reach + 1
    return circumscribed_boxes(boxes[:, low:high], visible[:, low:high])


def best_prior_of_each(overlaps: Tensor) -> tuple[Tensor, Tensor]:
    """One anchor for every object, no anchor twice.

    The pair with the highest overlap is taken first; its row and column are
    then out.

    Args:
        overlaps (Tensor): (G, P) IoU.

    Returns:
        tuple[Tensor, Tensor]: Objects (n,) and their anchors (n,), with n
        the smaller of G and P.
    """
    left = overlaps.clone()
    num_gts, num_priors = left.shape
    pairs = []
    for _ in range(min(num_gts, num_priors)):
        best = left.argmax()
        pairs.append(best)
        left[best // num_priors] = -1
        left[:, best % num_priors] = -1
    if not pairs:
        none = overlaps.new_zeros(0, dtype=torch.long)
        return none, none
    flat = torch.stack(pairs)
    return flat // num_priors, flat % num_priors


def on_crowd(priors: Tensor, crowds: Tensor, thr: float) -> Tensor:
    """Anchors that lie on a region of uncounted objects.

    Args:
        priors (Tensor): (P, 4) xyxy.
        crowds (Tensor): (M, 4) xyxy.
        thr (float): Share of the anchor's area that one region must cover.

    Returns:
        Tensor: (P,) bool.
    """
    if len(crowds) == 0:
        return torch.zeros_like(priors[:, 0], dtype=torch.bool)
    inter = intersection(priors[:, None], crowds[None].to(priors))
    return (inter / box_area(priors)[:, None]).amax(dim=1) > thr


class QueryFrameAssigner(BaseAssigner):
    """What all assigners of clips share; :meth:`match` makes the difference.

    Objects that the query frame does not show are not matched. Each one that
    it shows gets at least one anchor of its own. Without such an object all
    is background. Anchors on crowd regions are left out.

    Args:
        reach (int): Frames before and after the query frame that the
            circumscribed box (eq. 4) spans. 1 is the paper's; 0 gives
            plain boxes (Table 1c).
        ignore_thr (float): An anchor of which more than this share lies on
            a crowd region is ignored unless it is positive.

    Raises:
        ValueError: If ``reach`` is negative.
    """

    def __init__(self, reach: int = 1, ignore_thr: float = 0.7) -> None:
        if reach < 0:
            raise ValueError(f'reach must not be negative, got {reach}')
        self.reach = reach
        self.ignore_thr = ignore_thr

    @abstractmethod
    def match(self, priors: Tensor, boxes: Tensor, circumscribed: Tensor) -> MatchResult:
        """Compare anchors with the objects of the query frame.

        Args:
            priors (Tensor): (P, 4) xyxy.
            boxes (Tensor): (G, 4) boxes in the query frame, G > 0.
            circumscribed (Tensor): (G, 4) their circumscribed boxes.

        Returns:
            MatchResult: Of all pairs.
        """

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        query_frame: int = 0,
    ) -> AssignResult:
        """Match anchors and objects.

        Args:
            pred_instances (InstanceData): ``priors`` (P, 4) xyxy.
            gt_instances (InstanceData): ``bboxes`` (G, T, 4), ``visible``
                (G, T) bool and ``labels`` (G,).
            gt_instances_ignore (InstanceData, optional): ``bboxes`` (M, 4)
                crowd regions in the query frame.
            query_frame (int): Index of the query frame in the clip.

        Returns:
            AssignResult: ``gt_inds`` (P,): -1 ignored, 0 background, g + 1
            for object g; ``max_overlaps`` (P,) best quality, 0 without
            objects; ``labels`` (P,).
        """
        priors = pred_instances.priors
        gt_inds = priors.new_zeros(len(priors), dtype=torch.long)
        if gt_instances_ignore is not None:
            crowded = on_crowd(priors, gt_instances_ignore.bboxes, self.ignore_thr)
            gt_inds[crowded] = -1
        labels = torch.full_like(gt_inds, -1)
        shown = gt_instances.visible[:, query_frame].nonzero()[:, 0]
        if len(shown) == 0:  # nothing to see: everything is background
            return AssignResult(len(gt_instances), gt_inds, priors.new_zeros(len(priors)), labels)
        boxes = gt_instances.bboxes[shown].to(priors)
        circumscribed = window_boxes(boxes, gt_instances.visible[shown], query_frame, self.reach)
        quality, owner, positive, ignored = self.match(priors, boxes[:, query_frame], circumscribed)
        gts, forced = best_prior_of_each(quality)
        owner[forced], positive[forced] = gts, True
        gt_inds[ignored] = -1
        gt_inds[positive] = shown[owner[positive]] + 1
        labels[positive] = gt_instances.labels[shown[owner[positive]]]
        return AssignResult(len(gt_instances), gt_inds, quality.amax(dim=0), labels)
