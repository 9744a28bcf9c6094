"""Matching of cells with the objects near whose centre they lie."""

import torch
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import box_area

from .cell_distance_coder import cell_centres, cell_sides
from .circumscribed_assigner import MatchResult, QueryFrameAssigner

#: cells of distance that an octave of wrong size counts as, so that the level counts first
LEVEL_STEP = 1000.0


def centre_distance(priors: Tensor, boxes: Tensor) -> Tensor:
    """Compute the distances of cell centres from box centres, in sides of the cell.

    Args:
        priors (Tensor): (P, 4) square cells, xyxy.
        boxes (Tensor): (..., G, 4) xyxy.

    Returns:
        Tensor: (..., G, P).
    """
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    gap = middle[..., None, :] - cell_centres(priors)
    return gap.norm(dim=-1) / cell_sides(priors)


def octaves_off(priors: Tensor, boxes: Tensor, cells: float) -> Tensor:
    """Compute how far the sizes of boxes are from those that each level is meant for.

    Args:
        priors (Tensor): (P, 4) square cells, xyxy.
        boxes (Tensor): (..., G, 4) xyxy.
        cells (float): Sides of a cell that the root of a box's area should have.

    Returns:
        Tensor: (..., G, P) factor between the two sizes, in powers of two.
    """
    size = box_area(boxes).clamp(min=1e-6).sqrt()
    return (size[..., None] / (cells * cell_sides(priors))).log2().abs()


def centre_inside(priors: Tensor, boxes: Tensor) -> Tensor:
    """Return (..., G, P) bool, whether the centre of each cell lies in boxes (..., G, 4)."""
    centres = cell_centres(priors)
    low, high = boxes[..., None, :2], boxes[..., None, 2:]
    return ((centres > low) & (centres < high)).all(dim=-1)


@TASK_UTILS.register_module()
class CentreAssigner(QueryFrameAssigner):
    """Matches cells with objects near whose centre they lie, for anchor-free heads.

    Positive are the cells whose centre lies in the object's box of the query frame and near its
    middle, on the levels that fit the object's size. The size is that of the circumscribed box
    (eq. 4), as for :class:`CircumscribedAssigner`, because a prediction has to reach the boxes of
    the neighbouring frames. The middle is that of the query frame, which is where a 2D class
    tower sees the object. Every visible object gets at least one cell of its own; a cell that
    several objects want belongs to the smallest. Centre sampling follows FCOS (Tian et al.,
    2019).

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
