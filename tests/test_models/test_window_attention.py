"""Fused attention is that of MMDetection."""

import pytest
import torch
from mmdet.models.backbones.swin import ShiftWindowMSA, WindowMSA

from mmcico.models.layers.fast_layers import FusedWindowMSA, fuse_attention


def attention(shift):
    torch.manual_seed(0)
    layer = ShiftWindowMSA(8, num_heads=2, window_size=3, shift_size=shift).eval()
    torch.nn.init.normal_(layer.w_msa.relative_position_bias_table)
    return layer


@torch.no_grad()
@pytest.mark.parametrize('shift', [0, 1])
def test_results_are_those_of_mmdetection(shift):
    """Positions of two images matter, and those that a shift puts side by side do not mix."""
    layer, x = attention(shift), torch.randn(2, 5 * 7, 8)
    wanted, names = layer(x, (5, 7)), set(layer.state_dict())
    fuse_attention(layer)
    assert type(layer.w_msa) is FusedWindowMSA and set(layer.state_dict()) == names
    torch.testing.assert_close(layer(x, (5, 7)), wanted, atol=1e-6, rtol=1e-5)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        low = layer(x, (5, 7))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), wanted, atol=0.02, rtol=0.05)


@torch.no_grad()
def test_exported_layers_keep_to_basic_operators():
    layer, x = attention(1).w_msa, torch.randn(4, 9, 8)
    fuse_attention(layer)
    graph = str(torch.jit.trace(layer, x).inlined_graph)
    assert 'aten::softmax' in graph and 'scaled_dot_product' not in graph


def test_other_attention_stays():
    class Other(WindowMSA):
        pass

    layer = Other(8, 2, (3, 3))
    fuse_attention(layer)
    assert type(layer) is Other
