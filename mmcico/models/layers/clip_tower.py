"""Convolutions over clips, with or without a temporal extent.

Nothing else folds time into the batch axis or out of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from .windows import Window, crop, widen
from .winograd import Winograd, is_possible

#: channels of 3D convolutions from which the products that :func:`.winograd` saves outweigh its
#: additions, and the size of maps from which they do so in training
MIN_CHANNELS_3D, MIN_CELLS = 96, 400


def frames_to_clip(x: Tensor, num_frames: int) -> Tensor:
    """Stack the T adjacent frames of clips in time, (B * T, C, H, W) -> (B, C, T, H, W)."""
    return x.unflatten(0, (-1, num_frames)).transpose(1, 2)


def clip_to_frames(x: Tensor) -> Tensor:
    """Put the frames of clips into the batch axis, (B, C, T, H, W) -> (B * T, C, H, W)."""
    return x.transpose(1, 2).flatten(0, 1)


class ClipConv3d(nn.Conv3d):
    """3D convolution of short clips, computed in the way that is fastest.

    Mostly, each temporal tap is a 2D convolution of the frames that it can see, and a frame's
    output is the sum of its taps. Zero frames before and after the clip are never multiplied, which
    leaves 7 of 9 products for three frames and a temporal size of three. Parameters, names and
    results are those of ``nn.Conv3d``. Strides and dilations are 1, and the padding keeps time,
    height and width.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve clips, (B, C, T, H, W) -> (B, C', T, H, W)."""
        if self.prefers_taps(x):
            return self.by_taps(x)
        if self.prefers_winograd(x):
            return Winograd.apply(x, self.weight, self.bias)
        return super().forward(x)

    def prefers_winograd(self, x: Tensor) -> bool:
        """Return whether training is faster with fewer products for clips (B, C, T, H, W)."""
        return (
            is_possible(x, self.weight)
            and self.kernel_size[1:] == (3, 3)
            and min(self.in_channels, self.out_channels) >= MIN_CHANNELS_3D
            and x.shape[3] * x.shape[4] >= MIN_CELLS
        )

    def prefers_taps(self, x: Tensor) -> bool:
        """Return whether 2D convolutions are to be used for clips (B, C, T, H, W).

        On CPUs without gradients, they are faster in float32: up to three times for maps below
        28 x 44, with three frames and 256 channels, and by 5 % at most slower for larger ones.
        PyTorch's own 3D convolution is faster in bfloat16.

        On CPUs with gradients, others are faster in float32. In bfloat16 PyTorch's own must
        not be used: for some shapes, such as 256 channels and a map of 24 x 40, its gradient of
        the weights never returns on CPUs with AMX (PyTorch 2.13 with oneDNN 3.12).

        Other devices take 2D convolutions, because some versions of PyTorch and cuDNN have slow or
        wrong 3D convolutions.
        """
        if x.device.type != 'cpu' or x.shape[2] == 1:
            return True
        trains = torch.is_grad_enabled() and self.weight.requires_grad
        low = x.dtype != torch.float32 or torch.is_autocast_enabled('cpu')
        return low if trains else not low

    def by_taps(self, x: Tensor) -> Tensor:
        """Convolve clips (B, C, T, H, W) by 2D convolutions."""
        length, batch = int(x.shape[2]), int(x.shape[0])
        frames = x.permute(2, 0, 1, 3, 4).flatten(0, 1)  # all that taps see are views of it
        sums: list[Tensor | None] = [None] * length
        for index, tap in enumerate(self.weight.unbind(2)):
            shift = index - self.kernel_size[0] // 2
            first, end = max(shift, 0), length + min(shift, 0)
            if first >= end:
                continue
            part = F.conv2d(
                frames[first * batch : end * batch],
                tap,
                None if shift else self.bias,
                padding=(self.padding[1], self.padding[2]),  # type: ignore[arg-type]
            )
            for place, each in enumerate(part.split(batch), first - shift):
                before = sums[place]
                sums[place] = each if before is None else before + each
        return torch.cat(sums).unflatten(0, (length, batch)).permute(1, 2, 0, 3, 4)  # type: ignore


CONV_CFGS = {'2d': dict(type='Conv2d'), '3d': dict(type=ClipConv3d)}

#: norms of frames, by name or class, and those of clips
NORMS_OF_CLIPS = {
    **dict.fromkeys(('BN', 'BN2d', 'BatchNorm2d'), 'BN3d'),
    **dict.fromkeys(('IN', 'IN2d', 'InstanceNorm2d'), 'IN3d'),
}


def norm_for_clips(norm_cfg: dict | None) -> dict | None:
    """Return the same norm for ``(B, C, T, H, W)``.

    ``BN`` becomes ``BN3d`` and ``IN`` ``IN3d``; other types (``GN``, ``SyncBN``) take any shape.
    """
    if norm_cfg is None:
        return None
    kind = norm_cfg['type']
    return dict(norm_cfg, type=NORMS_OF_CLIPS.get(getattr(kind, '__name__', kind), kind))


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


def recomputed(module: nn.Module, run: Callable, *args: Any) -> Any:
    """Run a function whose activations are not stored, with the same results and gradients.

    ``module`` holds the layers that it runs; statistics of their batch norms are counted once.
    """
    return checkpoint(
        run, *args, use_reentrant=False, context_fn=lambda: (nullcontext(), kept_statistics(module))
    )


@contextmanager
def kept_statistics(module: nn.Module) -> Iterator[None]:
    """Do not change running statistics within a block."""
    norms = [each for each in module.modules() if isinstance(each, _BatchNorm)]
    before = [
        (each, each.momentum, each.num_batches_tracked, each.num_batches_tracked.clone())
        for each in norms
        if each.training and each.num_batches_tracked is not None
    ]
    for each, *_ in before:
        each.momentum = 0.0
    try:
        yield
    finally:
        for each, momentum, counter, number in before:
            each.momentum = momentum
            counter.copy_(number)


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
        with_cp (bool): Whether training computes the activations again instead of storing them.
    """

    def __init__(
        self,
        in_channels: int,
        feat_channels: int,
        num_convs: int,
        conv: str,
        norm_cfg: dict | None = None,
        bias: bool | str = 'auto',
        with_cp: bool = False,
    ) -> None:
        super().__init__()
        self.conv = conv
        self.with_cp = with_cp
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
        if self.with_cp and x.requires_grad:
            return recomputed(self, self._run, x, num_frames)
        return self._run(x, num_frames)

    def _run(self, x: Tensor, num_frames: int) -> Tensor:
        if self.conv == '2d':
            return self.convs(x)
        return clip_to_frames(self.convs(frames_to_clip(x, num_frames)))

    def part(
        self, x: Tensor, num_frames: int, window: Window, margin: int
    ) -> tuple[Tensor, Window]:
        """Run the tower where a window of its outputs needs it; norms must be local.

        Args:
            x (Tensor): (B * T, C, h, w), as for :meth:`forward`.
            num_frames (int): T.
            window (Window): Where outputs are needed.
            margin (int): Cells around the window that are needed, too.

        Returns:
            tuple[Tensor, Window]: Outputs (B * T, C', h', w') of the window with its margin, and
            the place of that on the map.
        """
        size = x.shape[-2:]
        place = (0, size[0], 0, size[1])
        if self.conv == '3d':
            x = frames_to_clip(x, num_frames)
        # every layer needs one cell more than the next one
        for reach, layer in zip(range(len(self.convs), 0, -1), self.convs):
            needed = widen(window, margin + reach, size)
            x, place = layer(crop(x, place, needed)), needed
        needed = widen(window, margin, size)
        x = crop(x, place, needed)
        return clip_to_frames(x) if self.conv == '3d' else x, needed
