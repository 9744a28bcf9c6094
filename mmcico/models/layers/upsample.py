"""Ways to bring mask features to a finer size."""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcico.registry import MODELS
from mmcico.structures.axes import clip_to_frames, frames_to_clip


def aligned_bilinear(x: Tensor, factor: int) -> Tensor:
    """Enlarge so that pixel ``i`` lands on pixel ``i * factor``.

    The map is continued by one pixel, interpolated with aligned corners,
    moved by half a factor and cut.

    Args:
        x (Tensor): (N, C, h, w).
        factor (int): Whole factor, at least 1.

    Returns:
        Tensor: (N, C, factor * h, factor * w).
    """
    if factor == 1:
        return x
    height, width = x.shape[-2:]
    x = F.pad(x, (0, 1, 0, 1), mode='replicate')
    x = F.interpolate(
        x, size=(factor * height + 1, factor * width + 1), mode='bilinear', align_corners=True
    )
    x = F.pad(x, (factor // 2, 0, factor // 2, 0), mode='replicate')
    return x[..., : factor * height, : factor * width]


@MODELS.register_module()
class DeconvUpsample(BaseModule):
    """The paper's mask head: plain bilinear fusion, then a deconvolution.

    Args:
        channels (int): Channels in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels, channels, 2, stride=2)

    def fuse(self, x: Tensor, like: Tensor) -> Tensor:
        """(N, C, h, w) at the size of ``like`` (N, C, H, W)."""
        return F.interpolate(x, size=like.shape[-2:], mode='bilinear', align_corners=False)

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """(B * T, C, h, w) -> (B * T, C, 2h, 2w)."""
        return self.deconv(x).relu()


@MODELS.register_module()
class BilinearUpsample(BaseModule):
    """The published models' mask head: interpolation without parameters.

    Args:
        channels (int): Not used; there to be exchangeable.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()

    def fuse(self, x: Tensor, like: Tensor) -> Tensor:
        """(N, C, h, w) at the size of ``like`` (N, C, H, W).

        Levels of a padded input halve exactly; the factor is a whole number.
        """
        return aligned_bilinear(x, like.shape[-1] // x.shape[-1])

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """(B * T, C, h, w) -> (B * T, C, 2h, 2w)."""
        clip = frames_to_clip(x, num_frames)
        return clip_to_frames(
            F.interpolate(clip, scale_factor=(1, 2, 2), mode='trilinear', align_corners=True)
        )
