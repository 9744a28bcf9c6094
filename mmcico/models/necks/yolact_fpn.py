"""Feature pyramid of the paper's models."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcico.registry import MODELS


@MODELS.register_module()
class YolactFPN(BaseModule):
    """FPN with a bilinear top-down path and ReLU on the lateral levels.

    Input levels go through lateral 1x1 convolutions, bilinear top-down sums, and a 3x3 convolution
    with ReLU each; further levels come from 3x3 convolutions of stride 2 on the last one, without
    ReLU. MMDetection's ``FPN`` also applies its activation to the lateral convolutions.

    Args:
        in_channels (Sequence[int]): Channels of the backbone's levels, fine to coarse.
        out_channels (int): Channels of every output level.
        num_outs (int): Number of output levels, at least that of the input levels.
        init_cfg (dict): Initialisation of the convolutions.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 256,
        num_outs: int = 5,
        init_cfg: dict = dict(type='Xavier', layer='Conv2d', distribution='uniform'),
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if num_outs < len(in_channels):
            raise ValueError(
                f'num_outs={num_outs} is less than the {len(in_channels)} levels in in_channels; '
                'choose fewer out_indices in the backbone'
            )
        self.lateral_convs = nn.ModuleList(
            nn.Conv2d(channels, out_channels, 1) for channels in in_channels
        )
        self.fpn_convs = nn.ModuleList(
            nn.Conv2d(out_channels, out_channels, 3, padding=1) for _ in in_channels
        )
        self.downsample_convs = nn.ModuleList(
            nn.Conv2d(out_channels, out_channels, 3, stride=2, padding=1)
            for _ in range(num_outs - len(in_channels))
        )

    def forward(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Build the pyramid.

        Args:
            inputs (tuple[Tensor]): Levels (N, C_i, h_i, w_i), fine to coarse.

        Returns:
            tuple[Tensor]: ``num_outs`` levels (N, C, h, w).
        """
        laterals = self._top_down(inputs)
        outs = [conv(x).relu() for conv, x in zip(self.fpn_convs, laterals)]
        for conv in self.downsample_convs:
            outs.append(conv(outs[-1]))
        return tuple(outs)

    def _top_down(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        """Return the lateral levels, fine to coarse, each with the sum of all coarser ones."""
        laterals = [conv(x) for conv, x in zip(self.lateral_convs, inputs)]
        for i in range(len(laterals) - 1, 0, -1):
            laterals[i - 1] = laterals[i - 1] + F.interpolate(
                laterals[i], size=laterals[i - 1].shape[-2:], mode='bilinear', align_corners=False
            )
        return laterals
