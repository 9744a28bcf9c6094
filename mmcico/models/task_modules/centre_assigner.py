"""Anchor-free heads: boxes as distances from cells, and matching of cells with objects."""

import torch
from mmdet.models.task_modules import BaseBBoxCoder
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import box_area, box_centres

from .circumscribed_assigner import MatchResult, QueryFrameAssigner

#: cells of distance that an octave of wrong size counts as, so that the level counts first
LEVEL_STEP = 1000.0


def cell_sides(cells: Tensor) -> Tensor:
    """Return the sides (N,) of square cells (N, 4) xyxy."""
    return cells[:, 2] - cells[:, 0]


@TASK_UTILS.register_module()
class CellDistanceCoder(BaseBBoxCoder):
    """Distances left, top, right, bottom in units of the cell's side.

    The boxes of all frames of a clip are measured from the same cell, which an object may have
    left; therefore distances can be negative, and neither exponential nor ReLU is applied to them.
    The idea is that of FCOS (Tian et al., 2019); RTMDet's coder has positive distances only.

    Args:
        base (float): Distance, in sides, that the value 0 means. An untrained network thus begins
            with boxes of ``2 * base`` cells, not with points, for which an IoU loss has no
            gradient.
    """

    def __init__(self, base: float = 2.0) -> None:
        super().__init__()
        if base < 0:
            raise ValueError(f'base must not be negative, got {base}')
        self.base = base

    def encode(self, bboxes: Tensor, gt_bboxes: Tensor) -> Tensor:
        """Return the values (N, 4) of boxes (N, 4) for square cells (N, 4), xyxy in pixels."""
        centres = box_centres(bboxes)
        distances = torch.cat([centres - gt_bboxes[:, :2], gt_bboxes[:, 2:] - centres], dim=1)
        return distances / cell_sides(bboxes)[:, None] - self.base

    def decode(self, bboxes: Tensor, pred_bboxes: Tensor, max_shape: tuple | None = None) -> Tensor:
        """Return the boxes of values.

        Args:
            bboxes (Tensor): (N, 4) square cells, xyxy in pixels.
            pred_bboxes (Tensor): (N, 4) values.
            max_shape (tuple, optional): Not used, because objects may extend beyond the image.

        Returns:
            Tensor: (N, 4) xyxy in pixels. Edges are put in order, because an inverted box would
            have a wrong area that IoU losses reward.
        """
        centres = box_centres(bboxes)
        sides = cell_sides(bboxes)[:, None]
        distances = (pred_bboxes + self.base) * sides
        first = centres - distances[:, :2]
        second = centres + distances[:, 2:]
        return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], 1)


def centre_distance(priors: Tensor, boxes: Tensor) -> Tensor:
    """Compute the distances (..., G, P) of cell centres from box centres, in sides of the cell.

    Cells are square and (P, 4), boxes (..., G, 4), both xyxy.
    """
    gap = box_centres(boxes)[..., None, :] - box_centres(priors)
    return gap.norm(dim=-1) / cell_sides(priors)


def octaves_off(priors: Tensor, boxes: Tensor, cells: float) -> Tensor:
    """Compute how far, in powers of two, sizes of boxes are from those that levels are meant for.

    A level is meant for objects whose root of the area is ``cells`` sides of its cell. The
    arguments and the shape are those of :func:`centre_distance`.
    """
    size = box_area(boxes).clamp(min=1e-6).sqrt()
    return (size[..., None] / (cells * cell_sides(priors))).log2().abs()


def centre_inside(priors: Tensor, boxes: Tensor) -> Tensor:
    """Return (..., G, P) bool, whether the centre of each cell lies in boxes (..., G, 4)."""
    centres = box_centres(priors)
    low, high = boxes[..., None, :2], boxes[..., None, 2:]
    return ((centres > low) & (centres < high)).all(dim=-1)


@TASK_UTILS.register_module()
class CentreAssigner(QueryFrameAssigner):
    """Matches cells with objects near whose centre they lie, for anchor-free heads.

    Positive are the cells whose centre lies in the object's box of the query frame and near its
    middle, on the levels that fit the object's size. The size is that of the circumscribed box, as
    for :class:`CircumscribedAssigner` (eq. 4), because a prediction has to reach the boxes of the
    neighbouring frames. The middle is that of the query frame, which is where a 2D class tower sees
    the object. Every visible object gets at least one cell of its own; a cell that several objects
    want belongs to the smallest. Centre sampling follows FCOS (Tian et al., 2019).

    Args:
        radius (float): Distance from the middle up to which cells are positive, in sides of the
            cell.
        cells (float): Size of the objects that a level is meant for, in sides of its cell.
        octaves (float): Further levels take part if their size is wrong by no more than this
            power of two; the one that fits best always does.
        reach (int): As in :class:`QueryFrameAssigner`.
        ignore_thr (float): As in :class:`QueryFrameAssigner`.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(
        self,
        radius: float = 1.5,
        cells: float = 4.0,
        octaves: float = 1.0,
        reach: int = 1,
        ignore_thr: float = 0.7,
    ) -> None:
        super().__init__(reach, ignore_thr)
        for name, value in (('radius', radius), ('cells', cells)):
            if value <= 0:
                raise ValueError(f'{name} must be positive, got {value}')
        if octaves < 0:
            raise ValueError(f'octaves must not be negative, got {octaves}')
        self.radius = radius
        self.cells = cells
        self.octaves = octaves

    def match(
        self, priors: Tensor, boxes: Tensor, circumscribed: Tensor, shown: Tensor
    ) -> MatchResult:
        """Compare square cells with objects; the quality is closeness, in (0, 1]."""
        distance = centre_distance(priors, boxes)
        off = octaves_off(priors, circumscribed, self.cells)
        best = off.amin(dim=-1, keepdim=True)
        near = (
            (distance <= self.radius)
            & centre_inside(priors, boxes)
            & (off <= best.clamp(min=self.octaves))
            & shown[..., None]
        )
        size = box_area(circumscribed)[..., None].expand_as(distance)
        owner = size.masked_fill(~near, float('inf')).argmin(dim=1)
        positive = near.any(dim=1)
        closeness = 1 / (1 + distance + LEVEL_STEP * (off - best))
        return MatchResult(closeness, owner, positive, torch.zeros_like(positive))
