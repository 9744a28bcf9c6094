"""Compiled and low precision runs."""

import os
import shutil

import pytest
import torch
from exportable import build, run, small_cfg, video
from torch import nn

from mmcico.deployment import autocast_model, compare_clips, compile_model
from mmcico.deployment.options import AutocastNetwork
from mmcico.models.vis.clip_network import KnownFrames, LazyNetwork

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


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_computes_low_and_answers_high(dtype):
    model, frames = build(small_cfg(), quantile=0.9), video()
    with torch.no_grad():
        whole = model.network(model, KnownFrames(), frames[:3], (0, 1, 2), 2)
    assert autocast_model(model, dtype) is model
    with torch.no_grad():
        found = model.network(model, KnownFrames(), frames[:3], (0, 1, 2), 2)
    assert found.known.features.fused.dtype == dtype
    assert found.protos.dtype == torch.float32
    scores = found.outputs.cls_scores
    assert scores.dtype == torch.float32
    error = (scores - whole.outputs.cls_scores).abs()
    # bfloat16 keeps eight bits, float16 eleven
    assert 0 < error.max() < whole.outputs.cls_scores.abs().max() / 10
    clips = run(model, frames)
    assert all(len(clip) for clip in clips)
    assert all(clip.masks.dtype == clip.bboxes.dtype == torch.float32 for clip in clips)


def test_compiled_at_low_precision():
    model, frames = build(small_cfg(), quantile=0.9), video(3)
    wanted = run(autocast_model(model, torch.bfloat16), frames)
    found = run(compile_model(model, backend='eager'), frames)
    same = compare_clips(found[0], wanted[0])
    assert same.same and same.instances and same.score < 1e-4


def test_the_last_precision_counts():
    model = autocast_model(build(small_cfg()), torch.bfloat16)
    autocast_model(model, torch.float16)
    assert isinstance(model.network, AutocastNetwork)
    assert isinstance(model.network.network, LazyNetwork)
    assert model.network.dtype == torch.float16


def test_requests_that_cannot_be_met():
    model = build(small_cfg())
    with pytest.raises(ValueError, match='not for torch.float64'):
        autocast_model(model, torch.float64)
    with pytest.raises(ValueError, match='no backend "fast"'):
        compile_model(model, backend='fast')
    model.backbone = nn.Identity()
    for change in (compile_model, lambda m: autocast_model(m, torch.half)):
        with pytest.raises(ValueError, match='ONNX'):
            change(model)
