"""Sinks: trails and boxes in overlays, work in the background, Ctrl-C."""

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image
from video_files import read_video

from mmcico.apis import CiCoInferencer, FrameResult
from mmcico.apis.outputs import (
    BackgroundSink,
    MaskSink,
    OverlaySink,
    ResultSink,
    TrackSink,
    drawn_frames,
)
from mmcico.apis.running import InterruptBetweenFrames, ahead, background_thread, in_background
from mmcico.datasets.converters.class_maps import ClassTable
from mmcico.datasets.converters.mask_folders import MaskFolders
from mmcico.testing import write_small_model
from mmcico.visualization.style import DrawStyle

STYLE = DrawStyle(min_side=1, labels=False, circumscribed=True, trail=3)


def make_result(frame, left):
    """A frame with one object of 8 x 8 pixels."""
    mask = torch.zeros(1, 48, 64, dtype=torch.bool)
    mask[:, 20:28, left : left + 8] = True
    sample = DetDataSample()
    sample.pred_track_instances = InstanceData(
        instances_id=torch.tensor([1]),
        labels=torch.tensor([0]),
        scores=torch.tensor([0.8]),
        bboxes=torch.tensor([[left, 20.0, left + 8.0, 28.0]]),
        masks=mask,
    )
    return FrameResult(frame, np.full((48, 64, 3), 60, np.uint8), sample)


@pytest.fixture(autouse=True)
def ctrl_c():
    """Python's own handler, which processes in the background lack."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


RESULTS = [make_result(frame, 10 * frame) for frame in range(5)]


def test_an_overlay_has_what_the_frames_around_add(tmp_path):
    path = tmp_path / 'video.mp4'
    with OverlaySink(path, 10, ('dog',), 0.5, STYLE) as sink:
        for result in RESULTS:
            sink.write(result)
    pictures = list(drawn_frames(RESULTS, ('dog',), 0.5, STYLE))
    shown = [frame.astype(int) for frame in read_video(path)[0]]
    assert len(shown) == len(pictures) == 5
    for one, two in zip(shown, pictures):
        assert np.abs(one - two).mean() < 6
    (alone,) = drawn_frames(RESULTS[2:3], ('dog',), 0.5, STYLE)
    # left of the object: the circumscribed box and the trail
    assert (alone[:, :19] == 60).all()
    assert (pictures[2][:, 10:19] != 60).any()


def test_an_overlay_is_opened_once(tmp_path):
    path = tmp_path / 'file' / 'video.mp4'
    path.parent.write_text('')
    sink = OverlaySink(path, 10, ('dog',), 0.5, DrawStyle())
    with pytest.raises(OSError, match='cannot write the video'):
        sink.write(RESULTS[0])
    path.parent.unlink()
    for result in RESULTS[1:]:  # waited in a queue
        sink.write(result)
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_objects_with_low_scores_are_not_drawn():
    for picture in drawn_frames(RESULTS, ('dog',), 0.9, STYLE):
        assert (picture == 60).all()


def test_tentative_tracks_are_collected_but_not_drawn():
    frames = [make_result(frame, 10 * frame) for frame in range(2)]
    sample = frames[0].sample
    sample.tentative_track_instances = sample.pred_track_instances
    sample.pred_track_instances = sample.pred_track_instances[:0]
    sink = TrackSink('v', ('dog',), (7,))
    for result, tentative in zip(frames, (True, False)):
        votes = InstanceData(
            instances_id=torch.tensor([1]),
            scores=torch.tensor([0.5]),
            labels=torch.tensor([0]),
            tentative=torch.tensor([tentative]),
        )
        sink.write(result._replace(votes=votes))
    (record,) = sink.records()
    assert [box is not None for box in record['bboxes']] == [True, True]
    assert [mask is not None for mask in record['segmentations']] == [True, True]
    (first, _) = drawn_frames(frames, ('dog',), 0.0, STYLE)
    assert (first[20:28, :8] == 60).all()


class Slow(ResultSink):
    """Remembers frames; waits, and fails at some."""

    def __init__(self, fail_at=None):
        self.seen, self.closed, self.fail_at = [], False, fail_at
        self.go = threading.Event()

    def write(self, result):
        assert self.go.wait(20)
        if result == self.fail_at:
            raise OSError('the disk is full')
        self.seen.append((result, threading.current_thread().name))

    def close(self):
        self.closed = True


def test_frames_are_written_in_order_by_another_thread():
    slow = Slow()
    slow.go.set()
    with BackgroundSink(slow) as sink:
        for number in range(30):
            sink.write(number)
    assert [number for number, _ in slow.seen] == list(range(30))
    names = {name for _, name in slow.seen}
    assert len(names) == 1 and threading.current_thread().name not in names
    assert slow.closed


def test_threads_in_the_background_have_no_threads_of_their_own():
    """More threads than cores slow the network down; those of other work stay."""
    before, found = torch.get_num_threads(), []

    class Sink(ResultSink):
        def write(self, result):
            found.append(torch.get_num_threads())

    torch.set_num_threads(2)
    try:
        found += ahead((torch.get_num_threads() for _ in range(2)), 1)
        found += in_background([torch.get_num_threads], 1)
        with BackgroundSink(Sink()) as sink:
            sink.write(None)
        background_thread('another').shutdown()
        with ThreadPoolExecutor(1) as others:
            after = torch.get_num_threads(), others.submit(torch.get_num_threads).result()
    finally:
        torch.set_num_threads(before)
    assert (found, after) == ([1] * 4, (2, 2))


def test_few_frames_wait():
    slow, handed = Slow(), []
    sink = BackgroundSink(slow, length=3)

    def feed():
        for number in range(10):
            sink.write(number)
            handed.append(number)

    feeder = threading.Thread(target=feed)
    feeder.start()
    time.sleep(0.2)
    assert len(handed) == 3
    slow.go.set()
    feeder.join(20)
    sink.close()
    assert len(handed) == len(slow.seen) == 10


@pytest.mark.parametrize('fail_at', [0, 9])
def test_an_error_is_told_and_the_sink_closed(fail_at):
    slow = Slow(fail_at)
    slow.go.set()
    with pytest.raises(OSError, match='disk is full'), BackgroundSink(slow) as sink:
        for number in range(10):
            sink.write(number)
    assert slow.closed


@pytest.mark.parametrize('number', [3, 6])  # the error is told by close, by write
def test_no_frame_is_written_after_one_that_failed(number):
    slow = Slow(fail_at=1)
    threading.Timer(0.1, slow.go.set).start()
    with pytest.raises(OSError, match='disk is full') as told, BackgroundSink(slow) as sink:
        for frame in range(number):
            sink.write(frame)
    assert [frame for frame, _ in slow.seen] == [0]
    assert slow.closed and told.value.__context__ is None


def test_an_interrupt_waits_for_the_end_of_a_frame():
    steps, before = [], signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), InterruptBetweenFrames() as interrupt:
        interrupt.check()
        signal.raise_signal(signal.SIGINT)
        steps.append('frame done')
        interrupt.check()
        steps.append('too far')
    assert steps == ['frame done']
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_does_not_wait():
    with pytest.raises(KeyboardInterrupt), InterruptBetweenFrames():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError('still going')


def test_an_interrupt_in_the_last_frame_is_not_lost():
    with pytest.raises(KeyboardInterrupt), InterruptBetweenFrames():
        signal.raise_signal(signal.SIGINT)


def test_handlers_of_others_are_left_alone():
    mine = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        handler = signal.getsignal(signal.SIGINT)
        with InterruptBetweenFrames() as interrupt:
            assert signal.getsignal(signal.SIGINT) is handler
            signal.raise_signal(signal.SIGINT)
            interrupt.check()
    finally:
        signal.signal(signal.SIGINT, mine)


def test_an_interrupted_video_is_written_so_far(tmp_path):
    rng = np.random.default_rng(0)
    inferencer = CiCoInferencer(*write_small_model(tmp_path), device='cpu', show_progress=False)

    def frames():
        for number in range(40):
            if number == 5:
                signal.raise_signal(signal.SIGINT)
            yield rng.integers(0, 256, (40, 72, 3), dtype=np.uint8)

    with pytest.raises(KeyboardInterrupt):
        inferencer(frames(), out_dir=str(tmp_path / 'out'))
    # asked for at frame 5; frame 4 is the first one to be done after that
    out = tmp_path / 'out'
    assert len(read_video(out / 'videos' / 'frames.mp4')[0]) == 5
    assert len(list((out / 'masks' / 'frames').iterdir())) == 5
    entries = json.loads((out / 'results.json').read_text())
    assert {len(each['segmentations']) for each in entries} == {5}


def test_masks_of_an_earlier_and_longer_video_are_removed(tmp_path):
    (tmp_path / '00009.png').touch()  # not next to the others: not ours
    for results in (RESULTS, RESULTS[:2]):
        with MaskSink(tmp_path, 0.5) as sink:
            for result in results:
                sink.write(result)
    with MaskSink(tmp_path, 0.5):
        pass  # ended before its first frame
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        '00000.png',
        '00001.png',
        '00009.png',
    ]


@pytest.mark.parametrize(
    'ids, mode', [([0, 7, 253], 'P'), ([0, 254, 255], 'I;16'), ([65534], 'I;16')]
)
def test_masks_keep_every_id(tmp_path, ids, mode):
    """The converter finds as many objects as there were tracks."""
    for name in ('images', 'masks'):
        (tmp_path / name / 'v').mkdir(parents=True)
    with MaskSink(tmp_path / 'masks' / 'v', 0.5) as sink:
        for left, key in enumerate(ids):
            result = make_result(left, 10 * left)
            result.sample.pred_track_instances.instances_id[:] = key
            sink.write(result)
            Image.new('RGB', (64, 48)).save(tmp_path / 'images' / 'v' / f'{left:05d}.png')
    last = Image.open(tmp_path / 'masks' / 'v' / f'{len(ids) - 1:05d}.png')
    assert last.mode == mode
    assert sorted(np.unique(np.array(last))) == [0, 1 + ids[-1]]
    source = MaskFolders(tmp_path / 'images', tmp_path / 'masks', ClassTable())
    (video,) = source
    assert len(video.tracks) == len(ids) and not source.problems.left_out


def test_ids_that_no_mask_picture_holds_are_refused(tmp_path):
    result = make_result(0, 0)
    result.sample.pred_track_instances.instances_id[:] = 65535
    with MaskSink(tmp_path, 0.5) as sink, pytest.raises(ValueError, match='track 65535 does not'):
        sink.write(result)
