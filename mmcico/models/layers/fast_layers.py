"""Faster layers with the same results, for networks that are prepared for tests."""

import torch
import torch.nn.functional as F
from mmdet.models.backbones.swin import WindowMSA
from torch import Tensor, nn

from .clip_tower import MIN_CHANNELS_3D, ClipConv3d
from .winograd import is_possible, transform_weight, winograd

#: channels of 2D convolutions from which the saved products outweigh the additions
MIN_CHANNELS = 192


class WinogradConv2d(nn.Conv2d):
    """2D convolution by :func:`winograd`, where that is possible; see :func:`use_winograd`."""

    #: transformed weights
    tiles: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Convolve frames, (B, C, H, W) -> (B, C', H, W)."""
        if not uses_tiles(self, x):
            return super().forward(x)
        return winograd(x[:, :, None], self.tiles, self.bias)[:, :, 0]


class WinogradConv3d(ClipConv3d):
    """3D convolution by :func:`winograd`, where that is possible; see :func:`use_winograd`."""

    #: transformed weights
    tiles: Tensor

    def by_taps(self, x: Tensor) -> Tensor:
        """Convolve clips, (B, C, T, H, W) -> (B, C', T, H, W)."""
        if not uses_tiles(self, x):
            return super().by_taps(x)
        return winograd(x, self.tiles, self.bias)


def uses_tiles(conv: WinogradConv2d | WinogradConv3d, x: Tensor) -> bool:
    """Return whether the transformed weights can be used for an input: nothing is trained."""
    trains = torch.is_grad_enabled() and (x.requires_grad or conv.weight.requires_grad)
    return is_possible(x, conv.tiles) and not trains


def use_winograd(module: nn.Module) -> None:
    """Let convolutions of a module use :func:`winograd` in tests, in place.

    Those of fewer channels, which would not become faster, stay as they are. Weights must not be
    changed afterwards.
    """
    for each in module.modules():
        if not isinstance(each, nn.Conv2d | nn.Conv3d) or each.kernel_size[-2:] != (3, 3):
            continue
        weight, width = each.weight, min(each.in_channels, each.out_channels)
        if isinstance(each, ClipConv3d) and width >= MIN_CHANNELS_3D:
            each.__class__ = WinogradConv3d
        elif type(each) is nn.Conv2d and is_plain(each) and width >= MIN_CHANNELS:
            each.__class__, weight = WinogradConv2d, weight[:, :, None]
        else:
            continue
        each.register_buffer('tiles', transform_weight(weight), persistent=False)


def is_plain(conv: nn.Conv2d) -> bool:
    """Return whether a 3x3 convolution keeps height and width and connects all channels."""
    found = conv.stride, conv.padding, conv.dilation, conv.groups, conv.padding_mode
    return found == ((1, 1), (1, 1), (1, 1), 1, 'zeros')


class FusedWindowMSA(WindowMSA):
    """MMDetection's attention within windows, with the same weights and results.

    The matrices of attention, 49 x 49 for each head and window, are not stored.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend within windows.

        Args:
            x (Tensor): (W * B, N, C), N positions in the windows of B images.
            mask (Tensor, optional): (W, N, N), added to the logits of the windows of an image.

        Returns:
            Tensor: (W * B, N, C).
        """
        if torch.jit.is_tracing():  # exported files keep to basic operators
            return super().forward(x, mask)
        windows, length, channels = x.shape
        parts = self.qkv(x).view(windows, length, 3, self.num_heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.relative_position_index.flatten()]
        bias = bias.view(1, length, length, -1).permute(0, 3, 1, 2)
        if mask is not None:
            bias = (bias + mask[:, None]).repeat(windows // len(mask), 1, 1, 1)
        bias = bias.to(query).expand(windows, -1, -1, -1)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=self.scale)
        return self.proj(found.transpose(1, 2).reshape(windows, length, channels))


def fuse_attention(module: nn.Module) -> None:
    """Let the Swin Transformers in a module use the fused kernel, in place.

    It drops nothing out, so the module must be in eval mode.
    """
    for each in module.modules():
        if type(each) is WindowMSA:
            each.__class__ = FusedWindowMSA
