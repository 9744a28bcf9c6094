"""Streams give what testing of whole videos gives."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from mmcico.apis import ClipStream, FrameSource, StreamState
from mmcico.datasets.clip_windows import clip_windows, next_window
from mmcico.registry import MODELS
from mmcico.testing import small_model_cfg

init_default_scope('mmdet')


def make_pipeline(load='mmcico.LoadClipArray'):
    return Compose(
        [
            dict(type='mmcico.ClipFrameSample'),
            dict(
                type='TransformBroadcaster',
                transforms=[dict(type=load), dict(type='Resize', scale=(128, 64), keep_ratio=True)],
            ),
            dict(type='mmcico.PackClipInputs'),
        ]
    )


def make_stream(overlap=1, completion='shift', num_frames=3):
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(small_model_cfg('yolact', num_frames)).eval()
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    model.nms.score_thr = 0.3
    return ClipStream(model, make_pipeline(), overlap, completion)


def video(length, seed=0, size=(40, 72)):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(length)]


def whole_video(stream, frames, name='video'):
    """Frames and votes as the runner's test loop gets them."""
    found, votes = [], []
    infos = [
        dict(
            img=image,
            img_path=f'{name}/{t}',
            img_id=t,
            video_id=name,
            video_length=len(frames),
            frame_id=t,
            source=name,
            height=image.shape[0],
            width=image.shape[1],
            instances=[],
        )
        for t, image in enumerate(frames)
    ]
    for window in clip_windows(len(frames), stream.num_frames, stream.overlap, stream.completion):
        data = stream.pipeline(
            dict(
                video_id=name,
                num_frames=stream.num_frames,
                key_frame_id=window.frame_ids[0],
                frames=infos,
                **window._asdict(),
            )
        )
        data = stream.model.data_preprocessor(pseudo_collate([data]), False)
        (clip,) = stream.model(**data, mode='predict')
        found += list(clip.video_data_samples)
        votes.append(clip.clip_instances)
    return found, votes


def assert_same(results, frames, votes):
    assert [r.frame_id for r in results] == list(range(len(frames)))
    assert [r.frame_id for r in results] == [f.frame_id for f in frames]
    for ours, theirs in zip(results, frames):
        a, b = ours.sample.pred_track_instances, theirs.pred_track_instances
        assert a.instances_id.tolist() == b.instances_id.tolist()
        assert a.labels.tolist() == b.labels.tolist()
        assert torch.equal(a.masks, b.masks)
        assert torch.equal(a.bboxes, b.bboxes)
        assert torch.equal(a.scores, b.scores)
    given = [r.votes for r in results if r.votes is not None]
    assert len(given) == len(votes)
    for ours, theirs in zip(given, votes):
        assert ours.instances_id.tolist() == theirs.instances_id.tolist()
        assert torch.equal(ours.scores, theirs.scores)


@pytest.mark.parametrize('completion', ['shift', 'repeat'])
@pytest.mark.parametrize(
    'length, num_frames, overlap',
    [
        (1, 3, 1),
        (2, 3, 1),
        (3, 3, 1),
        (5, 3, 1),
        (6, 3, 1),
        (6, 3, 0),
        (7, 3, 0),
        (7, 3, 2),
        (4, 1, 0),
        (9, 4, 2),
    ],
)
def test_a_stream_equals_the_tested_video(length, num_frames, overlap, completion):
    stream = make_stream(overlap, completion, num_frames)
    frames = video(length)
    expected, votes = whole_video(stream, frames)
    results = list(stream.run(frames))
    assert_same(results, expected, votes)
    assert any(len(r.sample.pred_track_instances) for r in results)
    for result, frame in zip(results, frames):
        np.testing.assert_array_equal(result.image, frame)


def test_frames_come_out_as_soon_as_their_clip_is_done():
    stream, state, ready = make_stream(), StreamState(), []
    for frame in video(7):
        state, results = stream.push(state, frame)
        ready.append([r.frame_id for r in results])
    assert ready == [[], [], [0, 1], [], [2, 3], [], [4, 5]]
    assert [r.frame_id for r in stream.finish(state)] == [6]


def test_videos_take_turns():
    stream = make_stream()
    videos = [video(6, seed=1), video(5, seed=2)]
    alone = [list(stream.run(v, f'v{i}')) for i, v in enumerate(videos)]
    streams = [stream.run(v, f'v{i}') for i, v in enumerate(videos)]
    turns = [[], []]
    for _ in range(6):
        for index, each in enumerate(streams):
            turns[index] += [result for result in [next(each, None)] if result]
    for one, other in zip(alone, turns):
        assert_same(one, [r.sample for r in other], [r.votes for r in other if r.votes is not None])


def test_a_stream_remembers_a_bounded_number_of_frames():
    stream, state, sizes = make_stream(), StreamState(), []
    frames = video(3, seed=3)
    for index in range(40):
        state, _ = stream.push(state, frames[index % 3])
        last = state.last.loaded.sample if state.last else ()
        sizes.append(
            (
                len(state.recent),
                len(state.video.known.frame_ids),
                len(last),
                len(state.video.tracker.tracks or ()),
            )
        )
    assert max(size[0] for size in sizes) == 3
    assert max(size[1] for size in sizes) == 1
    assert max(size[2] for size in sizes) == 3
    assert max(size[3] for size in sizes) <= max(s[3] for s in sizes[:6]) + 2


@pytest.mark.parametrize('num_frames, overlap', [(3, 1), (3, 0), (1, 0), (4, 3)])
def test_next_window_agrees_with_the_whole_video(num_frames, overlap):
    for length in range(1, 14):
        cut = [
            w for w in (next_window(length, done, num_frames, overlap) for done in range(20)) if w
        ]
        whole = clip_windows(length, num_frames, overlap, 'repeat')
        for ours, theirs in zip(cut, whole):
            assert ours.frame_ids == theirs.frame_ids
        shifted = clip_windows(length, num_frames, overlap)
        assert [w.frame_ids for w in shifted[: len(cut)]] == [w.frame_ids for w in cut]


def test_a_video_without_frames_has_no_results():
    assert list(make_stream().run([])) == []


def test_a_camera_may_fill_the_same_array_again():
    stream = make_stream(1, 'shift', 3)
    frames = video(7)
    expected = list(stream.run(frames))
    state, same, found = StreamState(), np.empty_like(frames[0]), []
    for frame in frames:
        same[:] = frame
        state, results = stream.push(state, same)
        found += results
    found += stream.finish(state)
    assert_same(
        found,
        [each.sample for each in expected],
        [each.votes for each in expected if each.votes is not None],
    )
    for result, frame in zip(found, frames):
        np.testing.assert_array_equal(result.image, frame)


def test_pushed_frames_are_checked():
    stream = make_stream(1, 'shift', 3)
    frame = video(1)[0]
    grey, _ = stream.push(StreamState(), frame[..., 0])
    assert grey.recent[0].shape == frame.shape
    state, _ = stream.push(StreamState('door'), frame)
    for wrong, words in (
        (frame / 255, 'door: frame 1 is float64'),
        (frame.astype(np.uint16), 'frame 1 is uint16'),
        (None, 'frame 1 is NoneType'),
        (frame[1:], r'frame 1 is .*before were \(40, 72\)'),
    ):
        with pytest.raises(ValueError, match=words):
            stream.push(state, wrong)


@pytest.mark.parametrize('length', [1, 2, 3, 7, 8])
@pytest.mark.parametrize('overlap, completion', [(1, 'shift'), (0, 'repeat'), (2, 'shift')])
def test_work_ahead_and_in_the_background_changes_nothing(length, overlap, completion):
    frames = video(length, seed=5)
    stream = make_stream(overlap=overlap, completion=completion)
    state, expected = StreamState(), []
    for frame in frames:
        state, results = stream.push(state, frame)
        expected += results
    expected += stream.finish(state)
    found = list(stream.run(FrameSource('video', iter(frames), is_file=True)))
    assert [each.frame_id for each in found] == list(range(length))
    for one, two in zip(found, expected):
        a, b = one.sample.pred_track_instances, two.sample.pred_track_instances
        for name in ('instances_id', 'labels', 'scores', 'bboxes', 'masks'):
            assert torch.equal(a[name], b[name])
        assert (one.image == two.image).all()
        assert (one.votes is None) == (two.votes is None)
        if one.votes is not None:
            for name in ('instances_id', 'scores', 'labels'):
                assert torch.equal(one.votes[name], two.votes[name])


def test_an_error_of_a_file_comes_after_its_frames():
    def frames():
        yield from video(5)
        raise OSError('the disk is gone')

    stream, found = make_stream(), []
    with pytest.raises(OSError, match='the disk is gone'):
        for result in stream.run(FrameSource('video', frames(), is_file=True)):
            found.append(result.frame_id)
    assert found == [0, 1, 2, 3, 4]


def test_a_stream_that_is_left_early_reads_no_further():
    taken = []

    def frames():
        for number, frame in enumerate(video(40)):
            taken.append(number)
            yield frame

    stream = make_stream()
    for _ in stream.run(FrameSource('video', frames(), is_file=True)):
        break
    assert len(taken) < 20
