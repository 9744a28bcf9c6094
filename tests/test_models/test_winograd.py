"""Convolutions with fewer multiplications are those of PyTorch."""

import copy

import pytest
import torch
from torch import nn

from mmcico.models.layers import fast_layers
from mmcico.models.layers import winograd as module
from mmcico.models.layers.clip_tower import MIN_CHANNELS_3D, ClipConv3d
from mmcico.models.layers.fast_layers import (
    MIN_CHANNELS,
    WinogradConv2d,
    WinogradConv3d,
    use_winograd,
)
from mmcico.models.layers.winograd import Winograd, transform_weight, winograd


@torch.no_grad()
@pytest.mark.parametrize('num_frames, size', [(T, k) for T in (1, 2, 3, 5) for k in (1, 3, 5)])
@pytest.mark.parametrize('height, width', [(6, 8), (7, 5), (1, 1), (2, 3)])
@pytest.mark.parametrize('bias', [True, False])
def test_results_are_those_of_conv3d(num_frames, size, height, width, bias):
    torch.manual_seed(0)
    conv = nn.Conv3d(5, 4, (size, 3, 3), padding=(size // 2, 1, 1), bias=bias).double()
    x = torch.randn(2, 5, num_frames, height, width, dtype=torch.float64)
    found = winograd(x, transform_weight(conv.weight), conv.bias)
    torch.testing.assert_close(found, conv(x), atol=1e-12, rtol=1e-12)
    assert found[0].permute(1, 2, 3, 0).is_contiguous()


@pytest.mark.parametrize('num_frames, size', [(T, k) for T in (1, 2, 3, 5) for k in (1, 3, 5)])
@pytest.mark.parametrize('height, width', [(6, 8), (7, 5), (1, 1)])
@pytest.mark.parametrize('bias', [True, False])
def test_gradients_are_those_of_conv3d(num_frames, size, height, width, bias, monkeypatch):
    monkeypatch.setattr(module, 'CHUNK_BYTES', 1)  # two rows at a time
    torch.manual_seed(0)
    conv = nn.Conv3d(5, 4, (size, 3, 3), padding=(size // 2, 1, 1), bias=bias).double()
    x = torch.randn(2, 5, num_frames, height, width, dtype=torch.float64, requires_grad=True)
    values = [x, *conv.parameters()]
    wanted = conv(x)
    grad = torch.randn_like(wanted)
    found = Winograd.apply(x, conv.weight, conv.bias)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=1e-12)
    for a, b in zip(
        torch.autograd.grad(found, values, grad), torch.autograd.grad(wanted, values, grad)
    ):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=1e-12)


def test_gradients_that_nobody_needs_are_not_computed(monkeypatch):
    calls = []
    for name in ('winograd', 'weight_gradient'):
        run = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, n=name, r=run: (calls.append(n), r(*a))[1])
    weight = torch.randn(4, 3, 3, 3, 3)
    for x_needs, weight_needs, used in [
        (True, False, 'winograd'),
        (False, True, 'weight_gradient'),
    ]:
        x = torch.randn(1, 3, 2, 4, 4, requires_grad=x_needs)
        out = Winograd.apply(x, weight.detach().requires_grad_(weight_needs), None)
        calls.clear()
        out.sum().backward()
        assert calls == [used]


@pytest.mark.parametrize(
    'width, kernel, size, uses',
    [
        (MIN_CHANNELS_3D, (3, 3, 3), (20, 20), True),
        (MIN_CHANNELS_3D, (1, 3, 3), (20, 20), True),
        (MIN_CHANNELS_3D, (3, 3, 3), (19, 20), False),
        (MIN_CHANNELS_3D, (3, 1, 1), (20, 20), False),
        (MIN_CHANNELS_3D - 1, (3, 3, 3), (20, 20), False),
    ],
)
def test_wide_layers_train_with_it(width, kernel, size, uses, monkeypatch):
    """Losses fall in the same way as with PyTorch's convolution."""
    torch.manual_seed(0)
    calls, run = [], module.winograd
    monkeypatch.setattr(module, 'winograd', lambda *args: (calls.append(1), run(*args))[1])
    conv, x = clip_conv(width, kernel), torch.randn(1, width, 2, *size)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        conv(x).float().sum().backward()
    assert not calls and copy.deepcopy(conv).double()(x.double()).dtype == torch.float64
    wanted = nn.Conv3d.forward(conv, x)
    torch.testing.assert_close(conv(x), wanted, atol=1e-5, rtol=1e-5)
    conv.zero_grad()
    conv(x).relu_().square().sum().backward()
    found = conv.weight.grad
    conv.weight.grad = None
    wanted.relu_().square().sum().backward()
    torch.testing.assert_close(found, conv.weight.grad, atol=1e-2, rtol=1e-4)
    assert bool(calls) == uses


@torch.no_grad()
@pytest.mark.parametrize('threads, most', [(2, 16), (64, 2)])
def test_rows_are_computed_in_parts(threads, most, monkeypatch):
    """The bytes at a time change no number, and bound the transformed inputs."""
    torch.manual_seed(0)
    conv = nn.Conv3d(4, 4, 3, padding=1)
    x, tiles = torch.randn(1, 4, 3, 11, 6), transform_weight(conv.weight)
    wanted, heights = winograd(x, tiles, conv.bias), []
    run = module.input_tiles
    monkeypatch.setattr(module, 'input_tiles', lambda x: (heights.append(x.shape[1]), run(x))[1])
    # two rows of two tiles for each thread, three frames, four channels
    monkeypatch.setattr(module, 'CHUNK_BYTES', 2 * 24 * 2 * 3 * 4 * 4)
    monkeypatch.setattr(module, 'MAX_THREADS', most)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: threads)
    torch.testing.assert_close(winograd(x, tiles, conv.bias), wanted, atol=1e-6, rtol=1e-6)
    assert heights == [10, 6]


@torch.no_grad()
def test_rounding_errors_are_those_of_float32():
    torch.manual_seed(0)
    conv = ClipConv3d(256, 256, 3, padding=1)
    x = torch.randn(1, 256, 3, 12, 20).relu()
    found = winograd(x, transform_weight(conv.weight), conv.bias)
    wanted = nn.Conv3d.forward(copy.deepcopy(conv).double(), x.double())
    assert (found - wanted).abs().max() < 2e-6 * wanted.abs().max()


def clip_conv(width, size=(3, 3, 3)):
    return ClipConv3d(width, width, size, padding=tuple(each // 2 for each in size))


def frame_conv(width, **options):
    return nn.Conv2d(width, width, 3, **dict(dict(padding=1), **options))


@pytest.mark.parametrize(
    'conv, uses',
    [
        (clip_conv(MIN_CHANNELS_3D), WinogradConv3d),
        (clip_conv(MIN_CHANNELS_3D, (1, 3, 3)), WinogradConv3d),
        (clip_conv(MIN_CHANNELS_3D - 1), ClipConv3d),
        (clip_conv(MIN_CHANNELS_3D, (3, 1, 1)), ClipConv3d),
        (nn.Conv3d(MIN_CHANNELS_3D, MIN_CHANNELS_3D, 3, padding=1), nn.Conv3d),
        (frame_conv(MIN_CHANNELS), WinogradConv2d),
        (frame_conv(MIN_CHANNELS, bias=False), WinogradConv2d),
        (frame_conv(MIN_CHANNELS - 1), nn.Conv2d),
        (frame_conv(MIN_CHANNELS, stride=2), nn.Conv2d),
        (frame_conv(MIN_CHANNELS, padding=2, dilation=2), nn.Conv2d),
        (frame_conv(MIN_CHANNELS, padding=0), nn.Conv2d),
        (frame_conv(MIN_CHANNELS, groups=2), nn.Conv2d),
        (frame_conv(MIN_CHANNELS, padding_mode='circular'), nn.Conv2d),
        (nn.Conv2d(MIN_CHANNELS, MIN_CHANNELS - 1, 3, padding=1), nn.Conv2d),
        (nn.Conv2d(MIN_CHANNELS, MIN_CHANNELS, 1), nn.Conv2d),
    ],
)
@torch.no_grad()
def test_layers_that_use_it(conv, uses):
    """Layers that become faster use it; results and names of weights stay."""
    size = (2, conv.in_channels, *(3, 4, 5)[-len(conv.kernel_size) :])
    x, names = torch.randn(size, generator=torch.Generator().manual_seed(0)), set(conv.state_dict())
    wanted = conv(x)
    use_winograd(nn.Sequential(conv))
    assert type(conv) is uses
    assert set(conv.state_dict()) == names
    torch.testing.assert_close(conv(x), wanted, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
@pytest.mark.parametrize('conv', [clip_conv(MIN_CHANNELS_3D), frame_conv(MIN_CHANNELS)])
def test_inputs_that_use_it(conv, monkeypatch):
    """It is for float32 on a CPU; other inputs are convolved as before."""
    size = (1, conv.in_channels, *(3, 4, 6)[-len(conv.kernel_size) :])
    x = torch.randn(size, generator=torch.Generator().manual_seed(0))
    wanted, calls, run = conv(x), [], fast_layers.winograd
    use_winograd(conv)
    monkeypatch.setattr(fast_layers, 'winograd', lambda *args: (calls.append(1), run(*args))[1])
    torch.testing.assert_close(conv(x), wanted, atol=1e-5, rtol=1e-5)
    assert calls == [1]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        low = conv(x)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), wanted, atol=0.05, rtol=0.05)
    assert copy.deepcopy(conv).double()(x.double()).dtype == torch.float64
    compiled = torch.compile(copy.deepcopy(conv), backend='eager')
    torch.testing.assert_close(compiled(x), wanted, atol=1e-5, rtol=1e-5)
    traced = torch.jit.trace(copy.deepcopy(conv), x, check_trace=False)
    torch.testing.assert_close(traced(x), wanted, atol=1e-5, rtol=1e-5)
    assert conv.to('meta')(x.to('meta')).device.type == 'meta'
    assert calls == [1]


@pytest.mark.parametrize('num_frames', [1, 3])
@pytest.mark.parametrize('frozen', [True, False])
def test_gradients_are_those_of_other_layers(num_frames, frozen):
    convs = nn.ModuleList([clip_conv(MIN_CHANNELS_3D), frame_conv(MIN_CHANNELS)])
    use_winograd(convs.requires_grad_(not frozen))
    for conv, size in zip(convs, [(num_frames, 4, 6), (4, 6)]):
        x = torch.randn(1, conv.in_channels, *size, requires_grad=True)
        conv(x).sum().backward()
        assert x.grad.abs().sum() > 0
        assert frozen or conv.weight.grad.abs().sum() > 0
