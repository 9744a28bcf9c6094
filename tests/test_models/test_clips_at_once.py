"""Several clips of a video in one batch give what they give one after the other."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from pretended_gpu import PretendedGpu

from mmcico.deployment import set_precision
from mmcico.models.vis.clip_network import ClipInput, LazyNetwork, VideoState
from mmcico.registry import MODELS
from mmcico.testing import clip_sample, small_model_cfg

SIZE = (96, 160)
#: with a last clip that was moved back
CLIPS = [((0, 1, 2), 2), ((2, 3, 4), 2), ((4, 5, 6), 1), ((5, 6, 7), 3)]
KINDS = dict(
    yolact={},
    condinst=dict(tracker=dict(type='mmcico.EvidenceTracker')),
    viewed=dict(test_cfg=dict(tta=dict(scales=[1.5]))),
    mean=dict(test_cfg=dict(overlap_masks='mean')),
)


def build(kind):
    """A small model that finds something."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = Config(dict(model=small_model_cfg('condinst' if kind == 'condinst' else 'yolact')))
    cfg.merge_from_dict(dict(model=KINDS[kind]))
    test_cfg = cfg.model.setdefault('test_cfg', {})
    test_cfg['nms'] = dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=12)
    model = MODELS.build(cfg.model).eval()
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.cls_layer.bias, 0)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    return model


def video(length=8, seed=1):
    return torch.randn(length, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


def clips_of(frames):
    return [ClipInput(frames[list(ids)], ids, num_final) for ids, num_final in CLIPS]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted):
        assert len(ours) and ours.instances_id.tolist() == theirs.instances_id.tolist()
        assert ours.labels.tolist() == theirs.labels.tolist()
        for name in ('scores', 'bboxes', 'masks'):
            torch.testing.assert_close(
                ours[name].cpu(), theirs[name].cpu(), atol=1e-4, rtol=1e-4, msg=name
            )


def counted(model):
    """The numbers of frames that the backbone gets."""
    numbers = []
    model.backbone.register_forward_hook(lambda module, args, out: numbers.append(len(args[0])))
    return numbers


@pytest.mark.parametrize(
    'kind, precision', [('yolact', None), ('condinst', None), *((kind, 'fp32') for kind in KINDS)]
)
def test_a_batch_gives_what_its_clips_give(kind, precision):
    with PretendedGpu():
        model, frames = build(kind).to('cuda'), video().to('cuda')
        if precision:
            set_precision(model, precision)
        numbers, clips = counted(model), clips_of(frames)
        state, wanted = VideoState(), []
        for clip in clips:
            state, found = model.step(state, *clip)
            wanted.append(found)
        assert max(numbers) == 3
        numbers.clear()
        ((first, found),) = model.steps(VideoState(), clips[:1])
        states, others = zip(*model.steps(first, clips[1:]))
        last, views = states[-1], len(model.viewed.views) if model.viewed else 0
        # views see one clip after the other, as their maps need memory together
        assert sorted(numbers) == (sorted([3, 2, 2, 1] * views) if views else [3, 5])
        assert_same([found, *others], wanted)
        assert last.known.frame_ids == state.known.frame_ids
        assert last.tracker.next_id == state.tracker.next_id > 1


def test_a_cpu_computes_one_clip_after_the_other():
    model = build('yolact')
    numbers = counted(model)
    list(model.steps(VideoState(), clips_of(video())))
    assert numbers == [3, 2, 2, 1]


def test_the_network_of_a_cpu_can_batch_too():
    model, clips = build('yolact'), clips_of(video())
    wanted = [clip for _, clip in model.steps(VideoState(), clips)]
    model.network.run = model.network.together
    numbers = counted(model)
    found = [clip for _, clip in model.steps(VideoState(), clips)]
    assert numbers == [8]
    assert_same(found, wanted)


def test_clips_come_one_by_one_if_the_memory_is_short(monkeypatch):
    with PretendedGpu():
        model, frames = build('yolact').to('cuda'), video().to('cuda')
        clips = clips_of(frames)
        state, wanted = VideoState(), []
        for clip in clips:
            state, found = model.step(state, *clip)
            wanted.append(found)
        together, numbers = LazyNetwork.together, []

        def small(self, model, known, clips):
            numbers.append(len(clips))
            if len(clips) > 1:
                raise torch.cuda.OutOfMemoryError('CUDA out of memory')
            return together(self, model, known, clips)

        monkeypatch.setattr(LazyNetwork, 'together', small)
        found = list(model.steps(VideoState(), clips[:2]))
        found += model.steps(found[-1][0], clips[2:])
        assert_same([clip for _, clip in found], wanted)
        assert numbers == [2, 1, 1, 1, 1]
        monkeypatch.setattr(LazyNetwork, 'together', fail)
        with pytest.raises(torch.cuda.OutOfMemoryError):
            list(model.steps(VideoState(), clips))


@pytest.mark.parametrize(
    'part', ['vis.clip_network.LazyNetwork.together', 'vis.cico.to_track_sample']
)
def test_a_failed_clip_can_be_tried_again(monkeypatch, part):
    samples = [
        clip_sample([[0]] * 3, video_id=1, start=start, num_final=final, video_length=5)
        for start, final in ((0, 2), (2, 3))
    ]
    found = []
    for fails in (False, True):
        model, frames = build('condinst'), video()
        model.predict(frames[None, :3], samples[:1])
        with monkeypatch.context() as patched:
            patched.setattr(f'mmcico.models.{part}', fail)
            if fails:
                with pytest.raises(torch.cuda.OutOfMemoryError):
                    model.predict(frames[None, 2:5], samples[1:])
        assert list(model.states) == [1]
        found += model.predict(frames[None, 2:5], samples[1:])
        assert not model.states
    wanted, again = (each.clip_instances for each in found)
    assert len(wanted) and torch.equal(again.scores, wanted.scores)
    assert again.instances_id.tolist() == wanted.instances_id.tolist()


def fail(*args):
    raise torch.cuda.OutOfMemoryError('CUDA out of memory')


@pytest.mark.parametrize('on_gpu', [False, True])
def test_a_batch_of_the_loader_may_hold_several_videos(on_gpu):
    """Two clips of the first video, the first of another, of another size, and one more."""
    length = dict(video_length=8)
    samples = [
        clip_sample([[0]] * 3, video_id=1, start=0, num_final=2, **length),
        clip_sample([[0]] * 3, video_id=1, start=2, num_final=2, **length),
        clip_sample([[0]] * 3, video_id=2, start=0, num_final=2, size=(64, 128), **length),
        clip_sample([[0]] * 3, video_id=1, start=4, num_final=2, **length),
    ]
    frames = video()
    inputs = torch.stack([frames[:3], frames[2:5], frames[1:4], frames[4:7]])
    inputs[2, ..., 64:, :] = 0
    inputs[2, ..., 128:] = 0

    def run(model, *groups):
        found = []
        for group in groups:
            rows = list(group)
            found += model.predict(like(inputs[rows]), [samples[row] for row in rows])
        return [each.clip_instances for each in found]

    def like(values):
        return values.to('cuda') if on_gpu else values

    for sample in samples:
        for frame in sample:
            frame.set_metainfo(dict(pad_shape=frame.img_shape))
    if on_gpu:
        with PretendedGpu():
            model = build('yolact').to('cuda')
            wanted = run(model, [0], [1], [2], [3])
            numbers = counted(model.train().eval())
            found = run(model, [0, 1, 2, 3])
            assert numbers == [5, 3, 2]
    else:
        model = build('yolact')
        wanted, found = run(model, [0], [1], [2], [3]), run(model.train().eval(), [0, 1, 2, 3])
    for ours, theirs in zip(found, wanted, strict=True):
        assert len(ours) and ours.instances_id.tolist() == theirs.instances_id.tolist()
        torch.testing.assert_close(ours.scores.cpu(), theirs.scores.cpu(), atol=1e-4, rtol=1e-4)
    assert sorted(model.states) == [1, 2]
