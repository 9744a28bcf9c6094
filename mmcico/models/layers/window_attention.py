"""Attention of Swin Transformers by PyTorch's fused kernel, for tests."""

import torch
import torch.nn.functional as F
from mmdet.models.backbones.swin import WindowMSA
from torch import Tensor, nn


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
