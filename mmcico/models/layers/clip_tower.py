"""Convolutions over clips, with or without a temporal extent."""

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcico.structures.axes import clip_to_frames, frames_to_clip

CONV_CFGS = {'2d': dict(type='Conv2d'), '3d': dict(type='Conv3d')}


def norm_for_clips(norm_cfg: dict | None) -> dict | None:
    """The same normalisation for ``(B, C, T, H, W)``.

    Args:
        norm_cfg (dict, optional): A norm of MMCV; ``BN`` becomes ``BN3d``,
            all other types (``GN``, ``SyncBN``) take any shape as they are.

    Returns:
        dict | None: The norm to build.
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
    """A 3x3 or 3x3x3 convolution with norm and ReLU.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        conv (str): ``'2d'`` for ``(B * T, C, h, w)``, ``'3d'`` for
            ``(B, C, T, h, w)``.
        norm_cfg (dict, optional): Norm between convolution and ReLU.
        bias (bool | str): Whether there is a bias; ``'auto'``: without norm.

    Returns:
        ConvModule: Keeps time, height and width.

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
    """Tower of 3x3 (x3) convolutions with ReLU (section 3.3, Fig. 2c).

    Args:
        in_channels (int): Channels of the features.
        feat_channels (int): Channels of every layer.
        num_convs (int): Number of layers.
        conv (str): ``'2d'`` looks at each frame alone, ``'3d'`` also at the
            frame before and the frame after, in every layer.
        norm_cfg (dict, optional): Norm of every layer. Default: none, as in
            the paper's models.
        bias (bool | str): Whether layers have a bias; ``'auto'``: those
            without norm.
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
        self.convs = nn.Sequential(
            *[
                tower_conv(
                    in_channels if i == 0 else feat_channels, feat_channels, conv, norm_cfg, bias
                )
                for i in range(num_convs)
            ]
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
