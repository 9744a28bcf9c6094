"""Training with less memory, or at low precision, has the same losses."""

import copy

import pytest
import torch
from mmengine.registry import init_default_scope

from mmcico.registry import MODELS
from mmcico.testing import clip_sample, small_model_cfg

SAMPLES = [clip_sample([(0, 1)] * 3), clip_sample([(1, 2, 3)] * 3, video_id=2)]


def build(with_cp):
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = small_model_cfg()
    cfg['backbone']['with_cp'] = with_cp
    cfg['bbox_head']['towers'].update(num_convs=2, norm_cfg=None, with_cp=with_cp)
    cfg['mask_head'].update(norm_cfg=dict(type='BN'), with_cp=with_cp)
    return MODELS.build(cfg).train()


def inputs():
    return torch.randn(2, 3, 3, 96, 160, generator=torch.Generator().manual_seed(1))


def kept_bytes(model):
    """Losses of a step, and the bytes that the backward pass keeps."""
    kept = {}

    def pack(x):
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        losses = model.loss(inputs(), SAMPLES)
    return losses, sum(kept.values())


def test_recomputed_activations_change_nothing_but_memory():
    plain, frugal = build(False), build(True)
    losses, memory = kept_bytes(plain)
    sum(losses.values()).backward()
    same, less = kept_bytes(frugal)
    sum(same.values()).backward()
    assert less < 0.65 * memory
    for name, value in losses.items():
        assert same[name].item() == pytest.approx(value.item(), rel=1e-6)
    ours, theirs = dict(plain.named_parameters()), dict(frugal.named_parameters())
    for name, value in ours.items():
        torch.testing.assert_close(theirs[name].grad, value.grad, atol=1e-6, rtol=1e-5)
    # statistics are counted once
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(frugal.state_dict()[name], value)


@pytest.mark.parametrize('norm_cfg', [dict(type='BN'), dict(type='GN', num_groups=4)])
@pytest.mark.parametrize('upsample', ['DeconvUpsample', 'BilinearUpsample'])
def test_one_of_the_largest_maps_is_stored(norm_cfg, upsample):
    cfg = dict(small_model_cfg()['mask_head'], norm_cfg=norm_cfg)
    head = MODELS.build({**cfg, 'upsample': dict(type=f'mmcico.{upsample}')}).train()
    plain = copy.deepcopy(head)
    channels = cfg['feat_channels']
    x = torch.randn(6, channels, 6, 10, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    kept = []

    def pack(saved):
        if saved.shape[-2:] == (12, 20):
            kept.append(saved.shape[1])
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        out = head._enlarged(x, 3)
    wanted = plain.reduce(plain.upsample(y, 3))
    # the input of the norm; that of the last layer's ReLU is one of the small prototypes
    assert kept.count(channels) == 1
    assert torch.equal(out, wanted)
    weight = torch.randn_like(out)
    (out * weight).sum().backward()
    (wanted * weight).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    for ours, theirs in zip(head.parameters(), plain.parameters()):
        assert (ours.grad is None) == (theirs.grad is None)
        if ours.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad)
    for ours, theirs in zip(head.buffers(), plain.buffers()):
        assert torch.equal(ours, theirs)


def test_losses_of_bfloat16_follow_those_of_float32():
    curves = []
    for low in (False, True):
        model = build(False)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.002)
        curve = []
        for _ in range(4):
            with torch.autocast('cpu', dtype=torch.bfloat16, enabled=low):
                loss = sum(model.loss(inputs(), SAMPLES).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            curve.append(loss.item())
        curves.append(curve)
    assert curves[0][-1] < curves[0][0]
    assert curves[1] == pytest.approx(curves[0], rel=0.02)
