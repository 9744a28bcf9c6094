"""Sample matcher for anchor-free heads: cells near an object's centre."""

import torch
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_boxes import box_area

from .cell_distance_coder import cell_centres, cell_sides
from .query_frame_assigner import MatchResult, QueryFrameAssigner

#: cells that an octave of wrong size weighs: the level counts first
LEVEL_STEP = 1000.0


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
    return ((centres > boxes[:, None, :2]) & (centres < boxes[:, None, 2:])).all(dim=-1)


@TASK_UTILS.register_module()
class CentreAssigner(QueryFrameAssigner):
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
            circumscribed; 0 gives plain boxes.
        ignore_thr (float): A cell of which more than this share lies on a
            crowd region is ignored unless it is positive.

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

    def match(self, priors: Tensor, boxes: Tensor, circumscribed: Tensor) -> MatchResult:
        """Which cells may stand for which object, and how near they are.

        Args:
            priors (Tensor): (P, 4) square cells.
            boxes (Tensor): (G, 4) boxes in the query frame.
            circumscribed (Tensor): (G, 4) circumscribed boxes.

        Returns:
            MatchResult: The quality is closeness, in (0, 1].
        """
        distance = centre_distance(priors, boxes)
        off = octaves_off(priors, circumscribed, self.cells)
        best = off.amin(dim=1, keepdim=True)
        near = (
            (distance <= self.radius)
            & centre_inside(priors, boxes)
            & (off <= best.clamp(min=self.octaves))
        )
        size = box_area(circumscribed)[:, None].expand_as(distance)
        owner = size.masked_fill(~near, float('inf')).argmin(dim=0)
        positive = near.any(dim=0)
        closeness = 1 / (1 + distance + LEVEL_STEP * (off - best))
        return MatchResult(closeness, owner, positive, torch.zeros_like(positive))
