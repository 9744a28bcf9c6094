"""Files run in batches of clips; results, errors and their order are those of single clips."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from test_clip_stream import make_stream, video

from mmcico.apis import CiCoInferencer, FrameSource
from mmcico.apis.clip_stream import Batches
from mmcico.apis.model_loading import checked_batch_size
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
        (8, 4, [1, 4, 1, 1, 1]),
        (3, 4, [1, 1, 1]),
        (1, 4, [1]),
        (0, 4, []),
    ],
)
def test_sizes_of_batches(number, size, expected):
    found = list(Batches(map(Clip, range(number)), size))
    assert [len(each) for each in found] == expected
    assert [clip.number for each in found for clip in each] == list(range(number))


def test_a_batch_that_is_too_large_is_split():
    found, batches = [], Batches(map(Clip, range(9)), 3)
    for batch in batches:
        if len(batch) > 1:
            batches.split(batch)
        else:
            found += [each.number for each in batch]
    assert found == list(range(9)) and batches.size == 1


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


def test_clips_come_one_by_one_if_the_memory_is_short(caplog):
    stream, frames = make_stream(), video(11)
    wanted = [each.sample.pred_track_instances.instances_id for each in stream.run(as_file(frames))]
    steps, numbers = stream.model.steps, []

    def small(state, clips):
        numbers.append(len(clips))
        if len(clips) > 1:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory')
        return steps(state, clips)

    stream.model.steps = small
    found = list(stream.run(as_file(frames), batch_size=2))
    assert numbers == [1, 2, 1, 1, 1, 1]
    assert [each.frame_id for each in found] == list(range(11))
    for ours, theirs in zip(found, wanted):
        assert torch.equal(ours.sample.pred_track_instances.instances_id, theirs)

    def none(state, clips):
        raise torch.cuda.OutOfMemoryError('CUDA out of memory')

    stream.model.steps = none
    with pytest.raises(torch.cuda.OutOfMemoryError):
        list(stream.run(as_file(frames), batch_size=2))


def test_the_inferencer_takes_the_size(tmp_path):
    assert checked_batch_size(None, torch.device('cpu')) == 1
    assert checked_batch_size(None, torch.device('cuda', 0)) == 4
    assert checked_batch_size(7, torch.device('cpu')) == 7
    config, weights = write_small_model(tmp_path)
    inferencer = CiCoInferencer(config, weights, show_progress=False)
    frames = np.stack(video(7, size=(64, 128)))
    with pytest.raises(ValueError, match='batch_size=0 must be at least 1'):
        inferencer(frames, batch_size=0)
    sizes = []
    run = inferencer.clips.run
    inferencer.clips.run = lambda *args: sizes.append(args[2]) or run(*args)
    wanted = inferencer(frames)['predictions']
    assert inferencer(frames, batch_size=3)['predictions'] == wanted
    assert sizes == [1, 3]
