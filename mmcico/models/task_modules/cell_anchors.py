"""Anchors and box coder of the published models."""

import torch
from mmdet.models.task_modules import AnchorGenerator, DeltaXYWHBBoxCoder
from torch import Tensor

from mmcico.registry import TASK_UTILS


@TASK_UTILS.register_module()
class CellAnchorGenerator(AnchorGenerator):
    """Anchors whose cells divide the padded input evenly, as in the published models.

    A level's cell is the padded input divided by the size of the level's map, in width and height.
    It equals the stride only if the input is a multiple of the coarsest stride; MMDetection's cells
    always equal the stride.

    Scales are in cells, ratios height : width, as in MMDetection. The size of the input is taken to
    be that of the finest level's map times its stride, which holds for inputs padded to a multiple
    of 32.
    """

    def grid_priors(
        self,
        featmap_sizes: list[tuple[int, int]],
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = 'cuda',
    ) -> list[Tensor]:
        """Return the anchors of all levels.

        Args:
            featmap_sizes (list[tuple[int, int]]): Height and width of each level's map, fine to
                coarse.
            dtype (torch.dtype): Of the anchors.
            device (str | torch.device): Of the anchors.

        Returns:
            list[Tensor]: (h * w * A, 4) xyxy in input pixels, row by row, the A anchors of a cell
            next to each other.
        """
        width, height = (
            size * stride for size, stride in zip(featmap_sizes[0][::-1], self.strides[0])
        )
        scales = self.scales.to(device=device, dtype=dtype)[None]
        root = self.ratios.to(device=device, dtype=dtype).sqrt()[:, None]
        wide, high = (scales / root).flatten(), (scales * root).flatten()
        priors = []
        for rows, columns in featmap_sizes:
            cell = width / columns, height / rows
            half = torch.stack([wide * cell[0], high * cell[1]], dim=-1) / 2
            xs = torch.arange(columns, device=device, dtype=dtype) + 0.5
            ys = torch.arange(rows, device=device, dtype=dtype) + 0.5
            y, x = torch.meshgrid(ys * cell[1], xs * cell[0], indexing='ij')
            centre = torch.stack([x, y], dim=-1).view(-1, 1, 2)
            priors.append(torch.cat([centre - half, centre + half], dim=-1).view(-1, 4))
        return priors


@TASK_UTILS.register_module()
class UnclampedBoxCoder(DeltaXYWHBBoxCoder):
    """Box coder whose decoded sizes have no limit, as in the published models.

    MMDetection's coder limits decoded sides to 62.5 times those of the anchor.
    """

    def decode(self, bboxes: Tensor, pred_bboxes: Tensor) -> Tensor:
        """Return the boxes (N, 4) of deltas (N, 4) against anchors (N, 4), all xyxy."""
        return super().decode(bboxes, pred_bboxes, wh_ratio_clip=1e-300)
