"""Layers of the mask head, and the windows of the map that they run on."""

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers.clip_tower import ClipTower, frames_to_clip, recomputed
from ..layers.windows import Window, crop, doubled, worthwhile

#: norms that cost little to compute twice; others may talk to other processes
RECOMPUTED_NORMS = nn.BatchNorm2d, nn.GroupNorm


class ProtoLayers(BaseModule):
    """Fusion of levels, tower, enlargement and reduction to prototypes.

    :class:`ClipMaskHead` builds the layers.
    """

    num_protos: int
    with_cp: bool
    upsample: Any
    refine: nn.ModuleList
    tower: ClipTower
    reduce: nn.Sequential
    #: whether tests take no statistics of a map
    fixed_norms: bool

    def forward_frames(self, feats: Sequence[Tensor]) -> Tensor:
        """Run the step that needs one frame at a time: fusion of levels.

        Args:
            feats (Sequence[Tensor]): Levels (F, C, h, w) of any F frames.

        Returns:
            Tensor: (F, C', h3, w3) at the size of the finest level.
        """
        finest = self.refine[0](feats[0])
        fused = finest
        for conv, x in zip(self.refine[1:], feats[1:]):
            fused = fused + self.upsample.fuse(conv(x), finest)
        return fused

    def forward_clips(
        self, fused: Tensor, num_frames: int, windows: Sequence[Window] | None = None
    ) -> Tensor:
        """Run the step that needs all frames of a clip.

        Args:
            fused (Tensor): (B * T, C', h3, w3).
            num_frames (int): T.
            windows (Sequence[Window], optional): Cells (of h3, w3) whose prototypes are needed;
                those outside are zeros or not exact. Default: all.

        Returns:
            Tensor: (B, k, T, 2 h3, 2 w3) prototypes.
        """
        size = fused.shape[-2:]
        # statistics of a whole map need all of it
        local = self.fixed_norms and not self.training
        if windows is None or not (local or not windows) or not worthwhile(windows, size):
            x = self.tower(fused, num_frames)
            if self.with_cp and x.requires_grad:
                x = recomputed(self, self._enlarged, x, num_frames)
            else:
                x = self._enlarged(x, num_frames)
            return frames_to_clip(x, num_frames)
        height, width = size
        out = fused.new_zeros(len(fused), self.num_protos, 2 * height, 2 * width)
        for window in windows:
            # the enlargement and the convolution at twice the size reach one cell further
            part, place = self.tower.part(fused, num_frames, window, 1)
            part = self.reduce(self.upsample.part(part, num_frames, place, size))
            inner = doubled(window)
            crop(out, (0, 0, 0, 0), inner).copy_(crop(part, doubled(place), inner))
        return frames_to_clip(out, num_frames)

    def _enlarged(self, x: Tensor, num_frames: int) -> Tensor:
        """Return prototypes (B * T, k, 2 h3, 2 w3) of the tower's outputs (B * T, C', h3, w3)."""
        layer: ConvModule = self.reduce[0]
        last = self.reduce[1]
        trains = self.training and x.requires_grad and not torch.compiler.is_compiling()
        if not trains or type(layer.norm) not in RECOMPUTED_NORMS:
            return self.reduce(self.upsample(x, num_frames))
        # maps of this size are the largest of all; the enlargement, norm and ReLU cost little, so
        # that the backward pass computes them again, but not the convolution between them
        x = recomputed(self.upsample, lambda x: layer.conv(self.upsample(x, num_frames)), x)
        return recomputed(layer, lambda x: last(layer.activate(layer.norm(x))), x)

    def forward(self, feats: Sequence[Tensor], num_frames: int) -> Tensor:
        """Run both steps on B clips, levels (B * T, C, h, w)."""
        return self.forward_clips(self.forward_frames(feats), num_frames)
