"""Files run in batches of clips; results, errors and their order are those of single clips."""

import threading
import time
import weakref
from collections import namedtuple
from functools import partial
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
import torch
from test_clip_stream import make_stream, video

from mmcico.apis import CiCoInferencer, FrameSource
from mmcico.apis.clip_stream import batches
from mmcico.apis.model_loading import checked_batch_size
from mmcico.apis.running import in_background
from mmcico.apis.stream_values import LinkedClip
from mmcico.models import CiCo
from mmcico.testing import write_small_model

Clip = namedtuple('Clip', 'number')


def as_file(frames):
    return FrameSource('video', iter(frames), is_file=True)


def batching(stream):
    """Let the network of the CPU batch clips; the numbers of clips that it gets."""
    network, numbers = stream.model.network, []

    def together(model, known, clips):
        numbers.append(len(clips))
        return network.together(model, known, clips)

    network.run = together
    return numbers


@pytest.mark.parametrize(
    'number, size, expected',
    [
        (9, 1, [1] * 9),
        (9, 4, [1, 4, 4]),
        (8, 4, [1, 4, 2, 1]),
        (3, 4, [1, 2]),
        (15, 16, [1, 8, 4, 2]),
        (1, 4, [1]),
        (0, 4, []),
    ],
)
def test_sizes_of_batches(number, size, expected):
    found = list(batches(map(Clip, range(number)), size))
    assert [len(each) for each in found] == expected
    assert [clip.number for each in found for clip in each] == list(range(number))


@pytest.mark.parametrize('length', [3, 9, 11])
def test_results_do_not_depend_on_the_size_of_batches(length):
    stream, frames = make_stream(), video(length)
    wanted = list(stream.run(as_file(frames)))
    numbers = batching(stream)
    found = list(stream.run(as_file(frames), batch_size=2))
    assert numbers == {3: [1], 9: [1, 2, 1], 11: [1, 2, 2]}[length]
    assert [each.frame_id for each in found] == list(range(length))
    for ours, theirs in zip(found, wanted, strict=True):
        assert (ours.votes is None) == (theirs.votes is None)
        a, b = ours.sample.pred_track_instances, theirs.sample.pred_track_instances
        assert len(a) and a.instances_id.tolist() == b.instances_id.tolist()
        assert torch.equal(a.masks, b.masks)
        torch.testing.assert_close(a.scores, b.scores)
    numbers.clear()
    assert len(list(stream.run(frames, batch_size=2))) == length  # not a file
    assert max(numbers) == 1


def test_all_frames_before_an_error_have_results():
    def broken():
        yield from video(9)
        raise OSError('the disk is gone')

    stream = make_stream()
    batching(stream)
    found = []
    with pytest.raises(OSError, match='the disk is gone'):
        for each in stream.run(FrameSource('video', broken(), is_file=True), batch_size=2):
            found.append(each.frame_id)
    assert found == list(range(9))


def test_results_that_do_not_fit_beside_the_network_are_made_after_it():
    stream, frames = make_stream(), video(11)
    wanted = [each.sample.pred_track_instances.instances_id for each in stream.run(as_file(frames))]
    main, failed = threading.current_thread(), []

    def scarce(self):
        if self.loaded.window.frame_ids[0] == 2:
            if threading.current_thread() is not main:
                tensor = torch.zeros(1)
                failed.append(weakref.ref(tensor))
                raise torch.cuda.OutOfMemoryError('CUDA out of memory')
            assert failed[0]() is None  # the error and what it holds are gone
        return final_results(self)

    final_results = LinkedClip.final_results
    with mock.patch.object(LinkedClip, 'final_results', scarce):
        found = list(stream.run(as_file(frames), batch_size=2))
    assert len(failed) == 1
    assert [each.frame_id for each in found] == list(range(11))
    for ours, theirs in zip(found, wanted):
        assert torch.equal(ours.sample.pred_track_instances.instances_id, theirs)


def test_results_that_nobody_wants_are_not_made():
    made = []

    def job(number):
        time.sleep(0.05)
        made.append(number)

    results = in_background((partial(job, number) for number in range(20)), 8)
    next(results)
    results.close()
    assert len(made) <= 3


def test_the_inferencer_takes_the_size(tmp_path):
    assert checked_batch_size(None, torch.device('cpu')) == 1
    assert checked_batch_size(None, torch.device('cuda', 0)) == 4
    assert checked_batch_size(None, torch.device('meta')) == 1
    assert checked_batch_size(7, torch.device('cpu')) == 1
    assert checked_batch_size(7, torch.device('cuda', 0)) == 7
    for wrong in (2.5, '4', 0):
        with pytest.raises(ValueError, match=f'batch_size={wrong!r} is not a whole number from 1 '):
            checked_batch_size(wrong, torch.device('cuda', 0))
    config, weights = write_small_model(tmp_path)
    inferencer = CiCoInferencer(config, weights, show_progress=False)
    frames = np.stack(video(7, size=(64, 128)))
    with pytest.raises(ValueError, match='batch_size=0 is not a whole number'):
        inferencer(frames, batch_size=0)
    numbers = batching(inferencer.clips)
    path = str(tmp_path / 'frames')
    for number, frame in enumerate(frames):
        Path(path).mkdir(exist_ok=True)
        cv2.imwrite(f'{path}/{number}.png', frame)
    wanted = inferencer(path)['predictions']
    assert numbers == [1, 1, 1]
    numbers.clear()
    with mock.patch('mmcico.apis.inferencer.checked_batch_size', lambda size, device: size):
        assert len(inferencer(path, batch_size=2)['predictions'][0]['tracks']) == len(
            wanted[0]['tracks']
        )
    assert numbers == [1, 2]


def test_clips_before_a_failed_one_have_results():
    stream, link = make_stream(), CiCo.link

    def fails(self, state, clip, frame_ids, draw):
        if frame_ids[0] == 6:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory')
        return link(self, state, clip, frame_ids, draw)

    found, numbers = [], batching(stream)
    with mock.patch.object(CiCo, 'link', fails), pytest.raises(torch.cuda.OutOfMemoryError):
        for each in stream.run(as_file(video(13)), batch_size=4):
            found.append(each.frame_id)
    assert numbers == [1, 4] and found == list(range(6))
