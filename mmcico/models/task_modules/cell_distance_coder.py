"""Boxes as distances from the centre of a cell, for anchor-free heads."""

import torch
from mmdet.models.task_modules import BaseBBoxCoder
from torch import Tensor

from mmcico.registry import TASK_UTILS


def cell_centres(cells: Tensor) -> Tensor:
    """Return the centres (N, 2) of cells (N, 4) xyxy."""
    return (cells[:, :2] + cells[:, 2:]) / 2


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
        centres = cell_centres(bboxes)
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
        centres = cell_centres(bboxes)
        sides = cell_sides(bboxes)[:, None]
        distances = (pred_bboxes + self.base) * sides
        first = centres - distances[:, :2]
        second = centres + distances[:, 2:]
        return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], 1)
