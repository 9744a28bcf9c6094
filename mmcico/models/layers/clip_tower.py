"""Convolutions over clips, with or without a temporal extent.

Nothing else folds time into the batch axis or out of it.
"""

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

#: map pixels from which PyTorch's own 3D convolution is at least as fast on a CPU
CPU_LIMIT = 48 * 80


def frames_to_clip(x: Tensor, num_frames: int) -> Tensor:
    """Stack frames in time.

    Args:
        x (Tensor): (B * T, C, H, W), the frames of a clip next to each other.
        num_frames (int): T.

    Returns:
        Tensor: (B, C, T, H, W), a view if possible.
    """
    return x.unflatten(0, (-1, num_frames)).transpose(1, 2)


def clip_to_frames(x: Tensor) -> Tensor:
    """Put the frames of clips into the batch axis.

    Args:
        x (Tensor): (B, C, T, H, W).

    Returns:
        Tensor: (B * T, C, H, W).
    """
    return x.transpose(1, 2).flatten(0, 1)


class ClipConv3d(nn.Conv3d):
    """3D convolution of short clips, computed by 2D convolutions where those are faster.

    A frame's output is a 2D convolution of the frames near it, concatenated in the channels. Zero
    frames before and after the clip are never multiplied, which leaves 7 of 9 products for three
    frames and a temporal size of three. Parameters, names and results are those of ``nn.Conv3d``.
    Strides and dilations are 1, and the padding keeps time, height and width.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve clips, (B, C, T, H, W) -> (B, C', T, H, W)."""
        return self.by_frames(x) if self.prefers_frames(x) else super().forward(x)

    @staticmethod
    def prefers_frames(x: Tensor) -> bool:
        """Return whether 2D convolutions are faster for clips (B, C, T, H, W).

        On CPUs they are for maps below 48 x 80 (3.8 times at 24 x 40 with three frames and 256
        channels, equal at 48 x 80) and for single frames. On other devices they always are used,
        because some versions of PyTorch and cuDNN have slow or wrong 3D convolutions.
        """
        if x.device.type != 'cpu' or x.shape[2] == 1:
            return True
        return x.shape[-2] * x.shape[-1] < CPU_LIMIT

    def by_frames(self, x: Tensor) -> Tensor:
        """Convolve clips (B, C, T, H, W) by 2D convolutions."""
        num_frames, size = int(x.shape[2]), self.kernel_size[0]
        # a frame's neighbours, or a tap's channels, next to each other
        frames, taps = x.transpose(1, 2), self.weight.transpose(1, 2)
        out = []
        for t in range(num_frames):
            first, end = max(t - size // 2, 0), min(t + size // 2 + 1, num_frames)
            tap = first - t + size // 2
            out.append(
                F.conv2d(
                    frames[:, first:end].flatten(1, 2),
                    taps[:, tap : tap + end - first].flatten(1, 2),
                    self.bias,
                    padding=(self.kernel_size[1] // 2, self.kernel_size[2] // 2),
                )
            )
        return torch.stack(out, dim=1).transpose(1, 2)


CONV_CFGS = {'2d': dict(type='Conv2d'), '3d': dict(type=ClipConv3d)}


def norm_for_clips(norm_cfg: dict | None) -> dict | None:
    """Return the same norm for ``(B, C, T, H, W)``.

    ``BN`` becomes ``BN3d``; other types (``GN``, ``SyncBN``) take any shape as they are.
    """
    if norm_cfg is not None and norm_cfg['type'] in ('BN', 'BN2d'):
        return dict(norm_cfg, type='BN3d')
    return norm_cfg


def tower_conv(
    in_channels: int,
    out_channels: int,
    conv: str,
    norm_cfg: dict | None = None,
    bias: bool | str = 'auto',
) -> ConvModule:
    """Build a 3x3 or 3x3x3 convolution with norm and ReLU that keeps time, height and width.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        conv (str): ``'2d'`` for ``(B * T, C, h, w)``, ``'3d'`` for ``(B, C, T, h, w)``.
        norm_cfg (dict, optional): Norm between convolution and ReLU.
        bias (bool | str): Whether there is a bias; ``'auto'``: without norm.

    Returns:
        ConvModule: The layers.

    Raises:
        ValueError: If ``conv`` is neither.
    """
    if conv not in CONV_CFGS:
        raise ValueError(f"conv is '2d' or '3d', got {conv!r}")
    return ConvModule(
        in_channels,
        out_channels,
        3,
        padding=1,
        bias=bias,
        conv_cfg=CONV_CFGS[conv],
        norm_cfg=norm_for_clips(norm_cfg) if conv == '3d' else norm_cfg,
    )


class ClipTower(BaseModule):
    """Tower of 3x3 or 3x3x3 convolutions with ReLU (section 3.3, Fig. 2c).

    Args:
        in_channels (int): Channels of the features.
        feat_channels (int): Channels of every layer.
        num_convs (int): Number of layers.
        conv (str): Layers with ``'2d'`` see single frames, with ``'3d'`` also the frame before
            and the frame after.
        norm_cfg (dict, optional): Norm of every layer. None in the paper's models.
        bias (bool | str): Whether layers have a bias; ``'auto'``: those without norm.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int,
        num_convs: int,
        conv: str,
        norm_cfg: dict | None = None,
        bias: bool | str = 'auto',
    ) -> None:
        super().__init__()
        self.conv = conv
        widths = [in_channels] + [feat_channels] * num_convs
        self.convs = nn.Sequential(
            *[tower_conv(a, b, conv, norm_cfg, bias) for a, b in zip(widths, widths[1:])]
        )

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Run the tower on clips.

        Args:
            x (Tensor): (B * T, C, h, w), frames of a clip in order.
            num_frames (int): T.

        Returns:
            Tensor: (B * T, C', h, w).
        """
        if self.conv == '2d':
            return self.convs(x)
        return clip_to_frames(self.convs(frames_to_clip(x, num_frames)))
