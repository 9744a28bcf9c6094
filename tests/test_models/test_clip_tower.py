"""3D convolutions by 2D convolutions are those of PyTorch."""

import pytest
import torch
from torch.nn import Conv3d

from mmcico.models.layers.clip_tower import CPU_LIMIT, ClipConv3d, ClipTower

SIZES = [(T, size) for T in (1, 2, 3, 5, 7) for size in (1, 3, 5)]


@pytest.mark.parametrize('num_frames, size', SIZES)
def test_forward_and_backward_equal_conv3d(num_frames, size):
    torch.manual_seed(0)
    padding = (size // 2, 1, 0)
    ours = ClipConv3d(6, 5, (size, 3, 1), padding=padding)
    theirs = Conv3d(6, 5, (size, 3, 1), padding=padding)
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(2, 6, num_frames, 4, 7)
    weights = torch.randn(2, 5, num_frames, 4, 7)
    found = []
    for conv, run in ((ours, ours.by_frames), (theirs, theirs)):
        x = inputs.clone().requires_grad_()
        out = run(x)
        (out * weights).sum().backward()
        found.append([out.detach(), x.grad, conv.weight.grad, conv.bias.grad])
    for a, b in zip(*found):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('norm_cfg', [None, dict(type='BN'), dict(type='GN', num_groups=2)])
@pytest.mark.parametrize('dtype', [None, torch.bfloat16])
def test_towers_are_those_of_conv3d(norm_cfg, dtype, monkeypatch):
    torch.manual_seed(0)
    tower = ClipTower(4, 4, 2, '3d', norm_cfg).train()
    x = torch.randn(6, 4, 5, 6)
    found = []
    for prefers in (True, False):
        monkeypatch.setattr(ClipConv3d, 'prefers_frames', staticmethod(lambda x: prefers))
        with torch.autocast('cpu', dtype=dtype, enabled=dtype is not None):
            found.append(tower(x, 3).float())
    exact = dict(atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(*found, **(exact if dtype is None else dict(atol=0.1, rtol=0.05)))
    shapes = {tuple(p.shape) for p in tower.parameters() if p.dim() > 1}
    assert shapes == {(4, 4, 3, 3, 3)}


@pytest.mark.parametrize(
    'device, shape, frames',
    [
        ('cpu', (1, 2, 3, 24, 40), True),
        ('cpu', (1, 2, 3, 48, CPU_LIMIT // 48), False),
        ('cpu', (1, 2, 1, 96, 160), True),
        ('meta', (1, 2, 3, 96, 160), True),
    ],
)
def test_choice_by_shape_and_device(device, shape, frames):
    x = torch.zeros(shape, device=device)
    assert ClipConv3d.prefers_frames(x) is frames
    # both ways work there
    conv = ClipConv3d(2, 1, 3, padding=1).to(device)
    assert conv(x).shape == (1, 1, *shape[2:])


def test_initialised_like_other_convolutions():
    tower = ClipTower(4, 4, 1, '3d')
    tower.init_cfg = dict(type='Constant', layer=['Conv3d'], val=0.5)
    tower.init_weights()
    assert (tower.convs[0].conv.weight == 0.5).all()
