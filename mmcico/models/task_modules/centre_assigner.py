"""Sample matcher for anchor-free heads: cells near an object's centre."""
from typing import Optional

import torch
from mmdet.models.task_modules import AssignResult, BaseAssigner
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import box_area
from .cell_distance_coder import cell_centres, cell_sides
from .circumscribed_assigner import best_prior_of_each, on_crowd, window_boxes

#: cells that an octave of wrong size weighs: the level counts first
LEVEL_STEP = 1000.


def centre_distance(priors: Tensor, boxes: Tensor) -> Tensor:
    """From the centres of cells to those of boxes, in sides of the cell.

    Args:
        priors (Tensor): (P, 4) square cells, xyxy.
        boxes (Tensor): (G, 4) xyxy.

    Returns:
        Tensor: (G, P).
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    gap = middle[:, None] - cell_centres(priors)[None]
    return gap.norm(dim=-1) / cell_sides(priors)


def octaves_off(priors: Tensor, boxes: Tensor, cells: float) -> Tensor:
    """How far the size of a box is from the one that a level is meant for.

    Args:
        priors (Tensor): (P, 4) square cells, xyxy.
        boxes (Tensor): (G, 4) xyxy.
        cells (float): Sides of a cell that the root of a box's area should
            have.

    Returns:
        Tensor: (G, P) factor between the two sizes, in powers of two.
    """
    size = box_area(boxes).clamp(min=1e-6).sqrt()
    wanted = cells * cell_sides(priors)
    return (size[:, None] / wanted[None]).log2().abs()


def centre_inside(priors: Tensor, boxes: Tensor) -> Tensor:
    """(G, P) bool: the centre of the cell lies in the box."""
    centres = cell_centres(priors)[None]
    return ((centres > boxes[:, None, :2]) &
            (centres < boxes[:, None, 2:])).all(dim=-1)


@TASK_UTILS.register_module()
class CentreAssigner(BaseAssigner):
    """Matches the cells of a query frame with the objects of a clip.

    Positive are the cells whose centre lies in the object's box of the query
    frame and near its middle, on the levels that fit the object's size. The
    size is that of the circumscribed box (eq. 4), as for
    :class:`CircumscribedAssigner`: a row has to reach the boxes of the frames
    around it. The middle is that of the query frame, which is where a 2D
    class tower sees the object. Every visible object gets at least one cell
    of its own; of several objects a cell belongs to the smallest. Centre
    sampling follows FCOS (Tian et al., 2019).

    Args:
        radius (float): Distance of the middle up to which cells are positive,
            in sides of the cell.
        cells (float): Size of the objects a level is meant for, in sides of
            its cell.
        octaves (float): Further levels take part if their size is wrong by no
            more than this power of two; the one that fits best always does.
        reach (int): Frames before and after the query frame that are
            enclosed; 0 gives plain boxes.
        ignore_thr (float): A cell of which more than this share lies on a
            crowd region is ignored unless it is positive.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(self,
                 radius: float = 1.5,
                 cells: float = 4.0,
                 octaves: float = 1.0,
                 reach: int = 1,
                 ignore_thr: float = 0.7) -> None:
        for name, value in (('radius', radius), ('cells', cells)):
            if value <= 0:
                raise ValueError(f'{name} must be positive, got {value}')
        for name, value in (('octaves', octaves), ('reach', reach)):
            if value < 0:
                raise ValueError(f'{name} must not be negative, got {value}')
        self.radius = radius
        self.cells = cells
        self.octaves = octaves
        self.reach = reach
        self.ignore_thr = ignore_thr

    def assign(self,
               pred_instances: InstanceData,
               gt_instances: InstanceData,
               gt_instances_ignore: Optional[InstanceData] = None,
               query_frame: int = 0) -> AssignResult:
        """Match cells and objects.

        Args:
            pred_instances (InstanceData): ``priors`` (P, 4) square cells,
                xyxy.
            gt_instances (InstanceData): ``bboxes`` (G, T, 4), ``visible``
                (G, T) bool and ``labels`` (G,).
            gt_instances_ignore (InstanceData, optional): ``bboxes`` (M, 4)
                crowd regions in the query frame.
            query_frame (int): Index of the query frame in the clip.

        Returns:
            AssignResult: ``gt_inds`` (P,): -1 ignored, 0 background, g + 1
            for object g; ``max_overlaps`` (P,) closeness to the nearest
            object in (0, 1], 0 without objects; ``labels`` (P,).
        """
        priors = pred_instances.priors
        gt_inds = priors.new_zeros(len(priors), dtype=torch.long)
        if gt_instances_ignore is not None:
            crowded = on_crowd(priors, gt_instances_ignore.bboxes,
                               self.ignore_thr)
            gt_inds[crowded] = -1
        labels = torch.full_like(gt_inds, -1)
        shown = gt_instances.visible[:, query_frame].nonzero()[:, 0]
        if len(shown) == 0:  # nothing to see: everything is background
            return AssignResult(
                len(gt_instances), gt_inds, priors.new_zeros(len(priors)),
                labels)
        boxes = gt_instances.bboxes[shown].to(priors)
        around = window_boxes(boxes, gt_instances.visible[shown], query_frame,
                              self.reach)
        near, closeness = self._fit(priors, boxes[:, query_frame], around)
        size = box_area(around)[:, None].expand_as(closeness)
        owner = size.masked_fill(~near, float('inf')).argmin(dim=0)
        positive = near.any(dim=0)
        gts, forced = best_prior_of_each(closeness)
        owner[forced], positive[forced] = gts, True
        gt_inds[positive] = shown[owner[positive]] + 1
        labels[positive] = gt_instances.labels[shown[owner[positive]]]
        return AssignResult(
            len(gt_instances), gt_inds, closeness.amax(dim=0), labels)

    def _fit(self, priors: Tensor, boxes: Tensor, around: Tensor) -> tuple:
        """Which cells may stand for which object, and how near they are.

        Args:
            priors (Tensor): (P, 4) square cells.
            boxes (Tensor): (G, 4) boxes in the query frame.
            around (Tensor): (G, 4) circumscribed boxes.

        Returns:
            tuple[Tensor, Tensor]: (G, P) bool, and (G, P) in (0, 1].
        """
        distance = centre_distance(priors, boxes)
        off = octaves_off(priors, around, self.cells)
        best = off.amin(dim=1, keepdim=True)
        near = ((distance <= self.radius) & centre_inside(priors, boxes) &
                (off <= best.clamp(min=self.octaves)))
        return near, 1 / (1 + distance + LEVEL_STEP * (off - best))
