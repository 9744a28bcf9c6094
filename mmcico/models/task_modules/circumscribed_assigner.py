"""Sample matcher with circumscribed boxes (eq. 4, Table 1c)."""

from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import pairwise_iou

from .query_frame_assigner import MatchResult, QueryFrameAssigner


@TASK_UTILS.register_module()
class CircumscribedAssigner(QueryFrameAssigner):
    """Matches the anchors of a query frame with the objects of a clip.

    An object is represented by its circumscribed box over the query frame,
    the one before and the one after, as far as they are in the clip and it
    is visible in them. Objects hidden in the query frame are not matched.

    Args:
        pos_iou_thr (float): Positive from here on.
        neg_iou_thr (float): Background below; ignored between the two.
        reach (int): Frames before and after the query frame that are
            circumscribed. 1 is the paper's; 0 gives plain boxes (Table 1c).
        ignore_thr (float): An anchor of which more than this share lies on
            a crowd region is ignored unless it is positive.

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

    def match(self, priors: Tensor, boxes: Tensor, circumscribed: Tensor) -> MatchResult:
        """IoU of anchors (P, 4) with circumscribed boxes (G, 4)."""
        overlaps = pairwise_iou(circumscribed, priors)
        best, owner = overlaps.max(dim=0)
        return MatchResult(overlaps, owner, best >= self.pos_iou_thr, best >= self.neg_iou_thr)
