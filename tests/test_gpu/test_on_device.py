"""Models on a GPU: forward, loss, agreement with the CPU, AMP, processes and streams.

Skipped without a GPU. ``MMCICO_TEST_DEVICE=cpu`` runs those that any device can run, so that the
tests themselves can be tried.
"""

import os

import numpy as np
import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import init_default_scope
from torch import distributed

from mmcico.apis import CiCoInferencer, StreamState
from mmcico.deployment import compare_clips
from mmcico.models.vis.clip_network import ClipInput, VideoState
from mmcico.models.vis.frame_features import KnownFrames
from mmcico.registry import MODELS
from mmcico.testing import clip_sample, small_model_cfg, write_small_model

DEVICE = os.environ.get('MMCICO_TEST_DEVICE', 'cuda')
HAS_GPU = torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason='PyTorch finds no GPU')
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(DEVICE == 'cuda' and not HAS_GPU, reason='PyTorch finds no GPU'),
]
KINDS = ('yolact', 'condinst')


def models(kind):
    """A small model that finds something, on the CPU and on the device."""
    init_default_scope('mmdet')
    found = []
    for device in ('cpu', DEVICE):
        torch.manual_seed(0)
        cfg = small_model_cfg(kind)
        cfg['test_cfg'] = dict(nms=dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=20))
        model = MODELS.build(cfg)
        torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
        torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
        found.append(model.to(device).eval())
    return found


def batch():
    """Two clips and their ground truths."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(2, 3, 3, 96, 160, generator=generator)
    samples = [clip_sample([[0, 1], [0, 1], [1]], video_id=1), clip_sample([[2]] * 3, video_id=2)]
    return inputs, samples


def losses(model, inputs, samples):
    """Losses by name as numbers."""
    return {name: float(value) for name, value in model.loss(inputs, samples).items()}


@pytest.fixture(autouse=True)
def exact_products():
    """Matrix products of the GPU in whole single precision."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.mark.parametrize('kind', KINDS)
def test_losses_are_those_of_the_cpu(kind):
    cpu, device = models(kind)
    inputs, samples = batch()
    wanted = losses(cpu, inputs, samples)
    found = losses(device, inputs.to(DEVICE), samples)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


@pytest.mark.parametrize('kind', KINDS)
def test_instances_are_those_of_the_cpu(kind):
    inputs = torch.rand(5, 3, 96, 160, generator=torch.Generator().manual_seed(1))
    results = []
    for model in models(kind):
        own, state = inputs.to(next(model.parameters()).device), VideoState()
        clips = [ClipInput(own[list(ids)], ids, 2) for ids in ((0, 1, 2), (2, 3, 4))]
        for each in clips:
            state, clip = model.step(state, *each)
            results.append(clip.cpu())
        results += [clip.cpu() for _, clip in model.steps(VideoState(), clips)]
    assert sum(map(len, results)) > 4
    for wanted, found in zip(results[:2] * 3, results[2:], strict=True):
        agreement = compare_clips(found, wanted)
        assert agreement.same and agreement.box < 1e-2 and agreement.score < 1e-3


@needs_gpu
def test_network_never_waits_for_the_device():
    _, model = models('yolact')
    inputs = torch.rand(3, 3, 96, 160).to(DEVICE)
    clips = [ClipInput(inputs, (0, 1, 2), 2), ClipInput(inputs, (2, 3, 4), 2)]
    with torch.no_grad():
        list(model.network.run(model, KnownFrames(), clips))  # makes anchors, chooses algorithms
        torch.cuda.set_sync_debug_mode('error')
        try:
            list(model.network.run(model, KnownFrames(), clips))
        finally:
            torch.cuda.set_sync_debug_mode('default')


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_amp_trains(dtype):
    if DEVICE == 'cpu' and dtype == 'float16':
        pytest.skip('gradients in float16 are for GPUs')
    _, model = models('yolact')
    model.train()
    inputs, samples = batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    kind = AmpOptimWrapper if HAS_GPU and DEVICE != 'cpu' else None
    wrapper = kind(optimizer=optimizer, dtype=dtype) if kind else OptimWrapper(optimizer)
    values = []
    for _ in range(4):
        with torch.autocast(DEVICE.partition(':')[0], dtype=getattr(torch, dtype)):
            loss = sum(model.loss(inputs.to(DEVICE), samples).values())
        wrapper.update_params(loss)
        values.append(float(loss))
    assert np.isfinite(values).all() and values[-1] < values[0]
    assert all(each.isfinite().all() for each in model.parameters())


def test_distributed_training_of_one_process(tmp_path):
    on_gpu = DEVICE.startswith('cuda')
    distributed.init_process_group(
        'nccl' if on_gpu else 'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1
    )
    try:
        plain, model = (each.to(DEVICE).train() for each in models('yolact'))
        wrapped = MMDistributedDataParallel(model, device_ids=[0] if on_gpu else None)
        inputs, samples = batch()
        loss = sum(wrapped(inputs.to(DEVICE), samples, mode='loss').values())
        loss.backward()
        sum(plain.loss(inputs.to(DEVICE), samples).values()).backward()
        for (name, ours), theirs in zip(model.named_parameters(), plain.parameters()):
            if theirs.grad is not None:
                torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5, msg=name)
    finally:
        distributed.destroy_process_group()


def test_streams_take_turns(tmp_path):
    inferencer = CiCoInferencer(*write_small_model(tmp_path), device=DEVICE, show_progress=False)
    clips, rng = inferencer.clips, np.random.default_rng(0)
    videos = [rng.integers(0, 256, (5, 64, 128, 3), dtype=np.uint8) for _ in range(2)]
    wanted = [list(inferencer.stream(video)) for video in videos]
    states, found = [StreamState(), StreamState()], [[], []]
    for frames in zip(*videos):
        for number, frame in enumerate(frames):
            states[number], results = clips.push(states[number], frame)
            found[number] += results
    for number, state in enumerate(states):
        found[number] += clips.finish(state)
    assert sum(len(each.sample.pred_track_instances) for each in found[0]) > 0
    for one, other in zip(found, wanted):
        for a, b in zip(one, other, strict=True):
            a, b = a.sample.pred_track_instances, b.sample.pred_track_instances
            assert a.instances_id.tolist() == b.instances_id.tolist()
            assert torch.equal(a.masks, b.masks)
