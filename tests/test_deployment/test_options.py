"""Compiled and low precision runs."""

import os
import shutil

import pytest
import torch
from exportable import build, run, small_cfg, video
from torch import nn

from mmcico.deployment import autocast_model, compare_clips, compile_model, set_precision
from mmcico.deployment import precision as precision_module
from mmcico.deployment.precision import FastNetwork, best_precision, norms_to_fold
from mmcico.models.layers import fast_layers
from mmcico.models.vis.clip_network import ClipInput
from mmcico.models.vis.frame_features import KnownFrames

BACKENDS = [
    ('eager', 1),
    pytest.param('aot_eager', 0, marks=pytest.mark.slow),
    pytest.param(
        'inductor',
        0,
        marks=[
            pytest.mark.skipif(
                os.environ.get('MMCICO_FULL_EXPORT') != '1' or shutil.which('g++') is None,
                reason='compiles all kernels: set MMCICO_FULL_EXPORT=1, with a C++ compiler',
            )
        ],
    ),
]


@pytest.mark.parametrize('backend, overlap', BACKENDS)
def test_compiled_results_are_the_same(backend, overlap):
    model, frames = build(small_cfg()), video()
    names = list(model.state_dict())
    wanted = run(model, frames, overlap)
    assert compile_model(model, backend=backend) is model
    assert list(model.state_dict()) == names
    torch._dynamo.utils.counters.clear()
    found = run(model, frames, overlap)
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] >= 4
    total = [compare_clips(a, b) for a, b in zip(found, wanted)]
    assert all(each.same for each in total)
    assert sum(each.instances for each in total) >= 3
    assert max(each.box for each in total) < 1e-3
    assert max(each.score for each in total) < 1e-4


def stir_norms(model):
    """Give batch norms statistics and weights that matter."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
            nn.init.uniform_(module.weight, 0.8, 1.2)


def layers_by_winograd(model):
    kinds = fast_layers.WinogradConv2d, fast_layers.WinogradConv3d
    return sum(isinstance(each, kinds) for each in model.modules())


@pytest.mark.parametrize('kind', ['yolact', 'condinst', 'published', 'swin', 'central'])
def test_prepared_networks_find_what_the_model_finds(kind, monkeypatch):
    for name in ('MIN_CHANNELS', 'MIN_CHANNELS_3D'):  # as wide layers do
        monkeypatch.setattr(fast_layers, name, 1)
    cfg = small_cfg(kind)
    if kind == 'yolact':
        cfg.model.mask_head.norm_cfg = dict(type='BN')
    model, frames = build(cfg), video()
    stir_norms(model)
    wanted, backbone = run(model, frames), model.backbone
    assert set_precision(model, 'fp32') is model
    assert not any(True for _ in norms_to_fold(model))
    assert not any(p.requires_grad for p in model.backbone.parameters())
    assert all(p.requires_grad for p in backbone.parameters() if p.dim() == 4 and len(p) > 8)
    assert kind == 'swin' or any(True for _ in norms_to_fold(backbone))
    assert layers_by_winograd(model) > 10 and not layers_by_winograd(backbone)
    found = run(model, frames)
    assert sum(len(clip) for clip in wanted) >= 3
    for a, b in zip(found, wanted):
        assert a.instances_id.tolist() == b.instances_id.tolist()
        assert a.labels.tolist() == b.labels.tolist()
        for key in ('scores', 'masks', 'embeds'):
            torch.testing.assert_close(a[key], b[key], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(a.bboxes, b.bboxes, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize('precision, dtype', [('bf16', torch.bfloat16), ('fp16', torch.float16)])
def test_networks_compute_low_and_answer_high(precision, dtype, monkeypatch):
    monkeypatch.setattr(fast_layers, 'MIN_CHANNELS', 1)
    model, frames = build(small_cfg(), quantile=0.9), video()
    with torch.no_grad():
        whole = model.network(model, KnownFrames(), ClipInput(frames[:3], (0, 1, 2), 2))
    set_precision(model, precision)
    assert model.neck.lateral_convs[0].weight.dtype == dtype
    assert not layers_by_winograd(model)
    with torch.no_grad():
        found = model.network(model, KnownFrames(), ClipInput(frames[:3], (0, 1, 2), 2))
    known = found.known.features
    assert known.fused.dtype == dtype
    assert known.fused.is_contiguous(memory_format=torch.channels_last)
    assert found.protos.dtype == torch.float32
    scores = found.outputs.cls_scores
    assert scores.dtype == torch.float32
    error = (scores - whole.outputs.cls_scores).abs()
    # bfloat16 keeps eight bits, float16 eleven
    assert 0 < error.max() < whole.outputs.cls_scores.abs().max() / 10
    clips = run(model, frames)
    assert all(len(clip) for clip in clips)
    assert all(clip.masks.dtype == clip.bboxes.dtype == torch.float32 for clip in clips)


class NormFirst(nn.Module):
    """Registers its layers in another order than it runs them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.conv(self.norm(x))


def test_norms_that_do_not_follow_their_convolution_stay():
    model, frames = build(small_cfg()), video(3)
    model.backbone = nn.Sequential(NormFirst(), model.backbone).eval()
    stir_norms(model)
    wanted = run(model, frames)
    found = run(set_precision(model, 'fp32'), frames)
    assert isinstance(model.backbone[0].norm, nn.BatchNorm2d)
    torch.testing.assert_close(found[0].scores, wanted[0].scores, atol=1e-5, rtol=1e-5)


def test_auto_is_what_the_device_is_fast_at(monkeypatch):
    for fast, name, words in ((True, 'bf16', 'has AVX512_BF16'), (False, 'fp32', 'has no AVX512')):
        for each in ('_is_avx512_bf16_supported', '_is_amx_tile_supported'):
            monkeypatch.setattr(torch.cpu, each, lambda fast=fast: fast, raising=False)
        assert best_precision('cpu')[0] == name and words in best_precision('cpu')[1]
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda: True)
    for capability, name in (((7, 5), 'fp32'), ((8, 0), 'bf16'), ((9, 0), 'bf16')):
        monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device, c=capability: c)
        assert best_precision('cuda:0')[0] == name
    assert best_precision('mps')[0] == 'fp32'
    lines = []
    monkeypatch.setattr(precision_module, 'print_log', lambda text, **kwargs: lines.append(text))
    model = set_precision(build(small_cfg()), 'auto')
    assert model.network.dtype == torch.float32
    assert lines == ['precision "auto" is "fp32", since the CPU has no AVX512_BF16 or AMX']


def test_compiled_at_low_precision():
    model, frames = build(small_cfg(), quantile=0.9), video(3)
    wanted = run(set_precision(model, 'bf16'), frames)
    torch._dynamo.utils.counters.clear()
    found = run(compile_model(model, backend='eager'), frames)
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] >= 4
    same = compare_clips(found[0], wanted[0])
    assert same.same and same.instances and same.score < 1e-4


def test_the_last_precision_counts():
    model = set_precision(build(small_cfg()), 'fp32')
    with pytest.warns(DeprecationWarning, match='set_precision'):
        autocast_model(model, torch.float16)
    assert isinstance(model.network, FastNetwork)
    assert model.network.dtype == torch.float16
    assert next(model.bbox_head.parameters()).dtype == torch.float16
    with pytest.raises(ValueError, match='float16 already; build it again'):
        set_precision(model, 'bf16')


def test_requests_that_cannot_be_met():
    model = build(small_cfg())
    with pytest.raises(ValueError, match="'int8' is none of"):
        set_precision(model, 'int8')
    with pytest.raises(ValueError, match='training mode'):
        set_precision(model.train(), 'bf16')
    model.eval()
    with pytest.raises(ValueError, match='no backend "fast"'):
        compile_model(model, backend='fast')
    model.backbone = nn.Identity()
    for change in (compile_model, lambda m: set_precision(m, 'fp16')):
        with pytest.raises(ValueError, match='ONNX'):
            change(model)
