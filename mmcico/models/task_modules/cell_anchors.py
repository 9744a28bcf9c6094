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
        return [
            self._level_priors((h, w), (height / h, width / w), level, dtype, device)
            for level, (h, w) in enumerate(featmap_sizes)
        ]

    def _level_priors(
        self,
        size: tuple[int, int],
        cell: tuple[float, float],
        level: int,
        dtype: torch.dtype,
        device: str | torch.device,
    ) -> Tensor:
        """Return the (h * w * A, 4) anchors of one level."""
        scales = self.scales.to(device=device, dtype=dtype)
        root = self.ratios.to(device=device, dtype=dtype).sqrt()
        wide = (scales[None] / root[:, None]).flatten() * cell[1]
        high = (scales[None] * root[:, None]).flatten() * cell[0]
        half = torch.stack([wide, high], dim=-1) / 2
        ys = torch.arange(size[0], device=device, dtype=dtype) + 0.5
        xs = torch.arange(size[1], device=device, dtype=dtype) + 0.5
        y, x = torch.meshgrid(ys * cell[0], xs * cell[1], indexing='ij')
        centre = torch.stack([x, y], dim=-1).view(-1, 1, 2)
        return torch.cat([centre - half, centre + half], dim=-1).view(-1, 4)


@TASK_UTILS.register_module()
class UnclampedBoxCoder(DeltaXYWHBBoxCoder):
    """Box coder whose decoded sizes have no limit, as in the published models.

    MMDetection's coder limits decoded sides to 62.5 times those of the anchor.
    """

    def decode(self, bboxes: Tensor, pred_bboxes: Tensor) -> Tensor:
        """Return the boxes (N, 4) of deltas (N, 4) against anchors (N, 4), all xyxy."""
        return super().decode(bboxes, pred_bboxes, wh_ratio_clip=1e-300)
