"""3D convolutions by 2D convolutions are those of PyTorch."""

import pytest
import torch
from torch import nn
from torch.nn import Conv3d

from mmcico.models.layers.clip_tower import ClipConv3d, ClipTower
from mmcico.models.layers.windows import crop

SIZES = [(T, size) for T in (1, 2, 3, 5, 7) for size in (1, 3, 5)]


@pytest.mark.parametrize('num_frames, size', SIZES)
def test_forward_and_backward_equal_conv3d(num_frames, size):
    torch.manual_seed(0)
    padding = (size // 2, 1, 0)
    ours = ClipConv3d(6, 5, (size, 3, 1), padding=padding).double()
    theirs = Conv3d(6, 5, (size, 3, 1), padding=padding).double()
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(2, 6, num_frames, 4, 7, dtype=torch.float64)
    weights = torch.randn(2, 5, num_frames, 4, 7, dtype=torch.float64)
    found = []
    for conv, run in ((ours, ours.by_taps), (theirs, theirs)):
        x = inputs.clone().requires_grad_()
        out = run(x)
        (out * weights).sum().backward()
        found.append([out.detach(), x.grad, conv.weight.grad, conv.bias.grad])
    for a, b in zip(*found):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=1e-12)


NORMS = [dict(type='BN'), dict(type=nn.BatchNorm2d), dict(type='IN'), dict(type='GN', num_groups=2)]


@pytest.mark.parametrize('norm_cfg', [None, *NORMS])
@pytest.mark.parametrize('dtype', [None, torch.bfloat16])
def test_towers_are_those_of_conv3d(norm_cfg, dtype, monkeypatch):
    torch.manual_seed(0)
    tower = ClipTower(4, 4, 2, '3d', norm_cfg).train()
    x = torch.randn(6, 4, 5, 6)
    found = []
    for prefers in (True, False):
        monkeypatch.setattr(ClipConv3d, 'prefers_taps', staticmethod(lambda x: prefers))
        with torch.autocast('cpu', dtype=dtype, enabled=dtype is not None):
            found.append(tower(x, 3).float())
    exact = dict(atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(*found, **(exact if dtype is None else dict(atol=0.1, rtol=0.05)))
    shapes = {tuple(p.shape) for p in tower.parameters() if p.dim() > 1}
    assert shapes == {(4, 4, 3, 3, 3)}


@pytest.mark.parametrize(
    'device, num_frames, dtype, trains, taps',
    [
        ('cpu', 3, torch.float32, False, True),
        ('cpu', 3, torch.float32, True, False),
        ('cpu', 3, torch.bfloat16, False, False),
        ('cpu', 3, torch.bfloat16, True, True),
        ('cpu', 1, torch.bfloat16, False, True),
        ('meta', 3, torch.bfloat16, False, True),
        ('meta', 3, torch.float32, True, True),
    ],
)
def test_choice_by_device_precision_and_training(device, num_frames, dtype, trains, taps):
    x = torch.zeros(1, 2, num_frames, 24, 40, device=device, dtype=dtype)
    conv = ClipConv3d(2, 1, 3, padding=1).to(device, dtype)
    with torch.set_grad_enabled(trains):
        assert conv.prefers_taps(x) is taps
        # both ways work there
        assert conv(x).shape == (1, 1, *x.shape[2:])


def test_choice_under_autocast():
    x, conv = torch.zeros(1, 2, 3, 4, 5), ClipConv3d(2, 1, 3, padding=1)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert conv.prefers_taps(x)
        with torch.no_grad():
            assert not conv.prefers_taps(x)


def test_training_in_bfloat16_ends_where_3d_convolutions_do_not():
    """The gradient of a 3D convolution of this size never returned on a CPU with AMX."""
    conv = ClipConv3d(256, 256, 3, padding=1)
    x = torch.ones(1, 256, 3, 24, 40)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        conv(x).float().sum().backward()
    # the central tap sees all cells of all frames
    assert conv.weight.grad[0, 0, 1, 1, 1] == 3 * 24 * 40


@torch.no_grad()
@pytest.mark.parametrize('clips', [1, 2])
def test_channels_last_goes_through_a_tower(clips):
    """Layouts change no number, and no layer brings frames into another layout."""
    torch.manual_seed(0)
    tower = ClipTower(8, 8, 2, '3d').eval()
    x = torch.randn(3 * clips, 8, 5, 6)
    wanted = tower(x, 3)
    for layer in tower.convs:
        layer.conv.to(memory_format=torch.channels_last_3d)
    found = tower(x.to(memory_format=torch.channels_last), 3)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert clips > 1 or found.is_contiguous(memory_format=torch.channels_last)


@torch.no_grad()
@pytest.mark.parametrize('conv', ['2d', '3d'])
@pytest.mark.parametrize('window', [(4, 6, 5, 8), (0, 1, 0, 2), (8, 9, 10, 11), (0, 9, 3, 5)])
def test_a_part_of_a_tower_is_that_of_the_whole_map(conv, window):
    torch.manual_seed(0)
    tower = ClipTower(4, 4, 3, conv)
    x = torch.randn(6, 4, 9, 11)
    sizes = []
    for layer in tower.convs:
        layer.register_forward_hook(lambda _, args, out: sizes.append(out.shape[-2:].numel()))
    found, place = tower.part(x, 3, window, 1)
    assert sizes == sorted(sizes, reverse=True)  # later layers see less
    whole = tower(x, 3)
    wanted = crop(whole, (0, 9, 0, 11), place)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    top, bottom, left, right = place
    grown = (max(window[0] - 1, 0), min(window[1] + 1, 9), max(window[2] - 1, 0))
    assert (top, bottom, left) == grown and right == min(window[3] + 1, 11)


def test_initialised_like_other_convolutions():
    tower = ClipTower(4, 4, 1, '3d')
    tower.init_cfg = dict(type='Constant', layer=['Conv3d'], val=0.5)
    tower.init_weights()
    assert (tower.convs[0].conv.weight == 0.5).all()
