"""Models on a pretended GPU: no mixture of devices, and no more waits for the device than needed.

What a real GPU computes is tested by ``test_on_device.py``.
"""

from functools import partial

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from pretended_gpu import PretendedGpu, on_gpu

from mmcico.apis import CiCoInferencer
from mmcico.deployment import set_precision
from mmcico.engine.checkpoint_hook import bad_tensors
from mmcico.models.vis.clip_network import ClipInput, VideoState
from mmcico.models.vis.data_samples import to_track_sample
from mmcico.models.vis.frame_features import KnownFrames
from mmcico.registry import MODELS
from mmcico.testing import clip_sample, small_model_cfg, write_small_model

SIZE = (96, 160)
SWIN = dict(
    type='SwinTransformer',
    embed_dims=8,
    depths=(1, 2, 1, 1),
    num_heads=(1, 1, 2, 2),
    out_indices=(1, 2, 3),
)
PUBLISHED = dict(
    bbox_head=dict(
        anchor_generator=dict(type='mmcico.CellAnchorGenerator'),
        bbox_coder=dict(type='mmcico.UnclampedBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2)),
        query_frames='central',
        losses=dict(
            loss_cls=dict(type='FocalLoss', use_sigmoid=True),
            loss_iou=dict(type='DIoULoss'),
            loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True),
        ),
    ),
    mask_head=dict(
        upsample=dict(type='mmcico.BilinearUpsample'),
        min_crop=0.1,
        loss_dice=dict(type='mmcico.ClipDiceLoss'),
    ),
    tracker=dict(type='mmcico.PublishedClipTracker'),
    test_cfg=dict(mask_resize='crop_first'),
)
RTMDET = dict(
    bbox_head=dict(
        anchor_generator=dict(scales=[1], ratios=[1.0]),
        bbox_coder=dict(type='mmcico.CellDistanceCoder'),
        assigner=dict(type='mmcico.CentreAssigner'),
        losses=dict(
            loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True),
            loss_bbox=None,
            loss_iou=dict(type='GIoULoss'),
        ),
    )
)
REMEMBERING = dict(
    tracker=dict(
        type='mmcico.ClipTracker',
        memory=3,
        momentum=0.5,
        recall=dict(type='mmcico.EmbeddingRecall'),
        drop_runner_ups=True,
    ),
    test_cfg=dict(overlap_masks='mean'),
)
EVIDENCE = dict(tracker=dict(type='mmcico.EvidenceTracker'))
VIEWED = dict(
    tracker=dict(type='mmcico.EvidenceTracker', matching=dict(type='mmcico.HungarianMatching')),
    test_cfg=dict(tta=dict(scales=[1.5], negated=[1])),
)
KINDS = dict(
    yolact=('yolact', {}),
    condinst=('condinst', EVIDENCE),
    published=('condinst', PUBLISHED),
    rtmdet=('condinst', RTMDET),
    remembering=('yolact', REMEMBERING),
    viewed=('yolact', VIEWED),
    swin=('yolact', dict(backbone=SWIN, neck=dict(in_channels=[16, 32, 64]))),
)
#: kind -> data type of autocast
TRAINED = dict(yolact=torch.bfloat16, condinst=None, published=torch.bfloat16, rtmdet=None)
#: kind -> argument of set_precision
TESTED = dict.fromkeys(KINDS) | dict(condinst='bf16', published='fp32')


def build(kind):
    """A small model on the pretended GPU that finds something."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    base, changes = KINDS[kind]
    cfg = Config(dict(model=small_model_cfg(base)))
    if 'backbone' in changes:
        cfg.model.pop('backbone')
    cfg.merge_from_dict(dict(model=changes))
    test_cfg = cfg.model.setdefault('test_cfg', {})
    test_cfg['nms'] = dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=12)
    model = MODELS.build(cfg.model)
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.cls_layer.bias, 0)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    return model.to('cuda')


@pytest.fixture
def gpu():
    with PretendedGpu() as gpu:
        yield gpu


@pytest.mark.parametrize(('kind', 'dtype'), TRAINED.items())
def test_a_training_step_stays_on_the_device(kind, dtype, gpu):
    model = build(kind).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    clips = [torch.randint(0, 256, (3, 3, *size), dtype=torch.uint8) for size in (SIZE, (90, 150))]
    samples = [
        clip_sample([[0, 1], [0, 1], [1]], video_id=1),
        clip_sample([[2]] * 3, video_id=2, size=(90, 150)),
    ]
    data = model.data_preprocessor(dict(inputs=clips, data_samples=samples), True)
    with torch.autocast('cuda', dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        losses = model.loss(**data)
    assert all(on_gpu(each) for each in losses.values())
    # before PyTorch's own checkpoints name both devices
    assert gpu.casts == {'cuda'}
    sum(losses.values()).backward()
    assert all(on_gpu(each.grad) and each.grad.isfinite().all() for each in model.parameters())
    optimizer.step()


@pytest.mark.parametrize(('kind', 'precision'), TESTED.items())
def test_clips_are_predicted_on_the_device(kind, precision, gpu):
    model = build(kind).eval()
    if precision is not None:
        set_precision(model, precision)
    numbers = []
    for start in (0, 2):
        inputs = torch.rand(1, 3, 3, *SIZE, generator=torch.Generator().manual_seed(start))
        sample = clip_sample([[0]] * 3, start=start, num_final=2, video_length=5)
        (result,) = model.predict(inputs.to('cuda'), [sample])
        assert all(on_gpu(x) for x in result.clip_instances.values())
        numbers.append(len(result.clip_instances))
    assert min(numbers) > 0 and gpu.casts <= {'cuda'}


@pytest.mark.parametrize(
    ('kind', 'precision'), [('yolact', 'bf16'), ('published', None), ('swin', 'bf16')]
)
def test_the_network_never_waits(kind, precision, gpu):
    model = build(kind).eval()
    if precision is not None:
        set_precision(model, precision)
    frames = torch.rand(3, 3, *SIZE, device='cuda')
    with torch.no_grad():
        first = ClipInput(frames, (0, 1, 2), 2)
        known = model.network(model, KnownFrames(), first).known  # makes anchors
        gpu.waits.clear()
        clips = [ClipInput(frames, (2, 3, 4), 2), ClipInput(frames, (4, 5, 6), 2)]
        model.network(model, known, clips[0])
        assert len(list(model.network.run(model, known, clips))) == 2
    assert not gpu.waits


#: waits of two clips after the network: detection, linking of the second, its two new frames
WAITS = dict(yolact=(8, 4, 2), condinst=(8, 4, 3), published=(8, 8, 2))


@pytest.mark.parametrize('kind', WAITS)
def test_waits_after_the_network(kind, gpu):
    model = build(kind).eval()
    state, found = VideoState(), []
    sample = clip_sample([[0]] * 3, start=2)
    sample.set_metainfo(dict(num_written=1))
    with torch.no_grad():
        for frames in ((0, 1, 2), (2, 3, 4)):
            inputs = torch.rand(3, 3, *SIZE, device='cuda')
            net = model.network(model, state.known, ClipInput(inputs, frames, 2))
            draw = partial(model.mask_head.redraw, net.protos, input_shape=SIZE)
            found.clear()
            gpu.waits.clear()
            clip = model.detect(net.outputs, net.protos, SIZE)
            found.append(gpu.waits.copy())
            gpu.waits.clear()
            state, clip = model.link(state, clip, frames, draw)
            found.append(gpu.waits.copy())
            gpu.waits.clear()
            to_track_sample(clip, sample, SIZE)
            found.append(gpu.waits.copy())
    numbers = tuple(map(len, found))
    assert len(clip) > 0
    assert all(a <= b for a, b in zip(numbers, WAITS[kind])), (numbers, found)


def test_checkpoints_look_at_all_weights_in_one_wait(gpu):
    model = build('yolact')
    gpu.waits.clear()
    assert bad_tensors(model) == []
    assert len(gpu.waits) == 1
    model.mask_head.reduce[1].conv.bias.data[0] = torch.nan
    assert bad_tensors(model) == ['mask_head.reduce.1.conv.bias']


def test_videos_are_read_and_written_from_the_device(tmp_path, gpu):
    config, weights = write_small_model(tmp_path)
    inferencer = CiCoInferencer(config, weights, device='cuda', show_progress=False)
    video = np.random.default_rng(0).integers(0, 256, (5, 64, 128, 3), dtype=np.uint8)
    out = inferencer(
        video, out_dir=str(tmp_path), save=('video', 'masks', 'json'), return_datasamples=True
    )
    (found,) = out['predictions']
    assert found['tracks'] and len(found['datasamples']) == 5
    assert len(list(tmp_path.rglob('*.png'))) == 5 and len(list(tmp_path.rglob('*.mp4'))) == 1
    assert all(on_gpu(x) for x in inferencer.model.parameters())
