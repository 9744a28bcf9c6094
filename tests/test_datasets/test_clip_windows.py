"""Cutting of videos into clips."""

import itertools
import random

import pytest

from mmcico.datasets.clip_windows import Window, clip_windows
from mmcico.datasets.transforms.clips import consecutive_frames, neighbour_frames

SETTINGS = [
    (length, frames, overlap, completion)
    for length, frames in itertools.product(range(1, 13), range(1, 6))
    for overlap in range(frames)
    for completion in ('shift', 'repeat')
]


@pytest.mark.parametrize('length, frames, overlap, completion', SETTINGS)
def test_every_frame_is_written_once(length, frames, overlap, completion):
    windows = clip_windows(length, frames, overlap, completion)
    written = [f for w in windows for f in w.frame_ids[w.num_written : w.num_final]]
    assert written == list(range(length))
    for window in windows:
        assert len(window.frame_ids) == frames
        assert 0 <= window.num_written < window.num_final <= frames
        assert set(window.frame_ids) <= set(range(length))
    for one, two in zip(windows, windows[1:]):
        shared = set(one.frame_ids) & set(two.frame_ids)
        assert len(shared) >= min(overlap, len(set(two.frame_ids)))
        if completion == 'shift':
            assert two.frame_ids[0] - one.frame_ids[0] <= frames - overlap
    if completion == 'shift':
        assert windows[0].frame_ids[0] == 0
        assert windows[-1].frame_ids[-1] == length - 1
        if len(windows) > 1:
            assert windows[-2].frame_ids[-1] < length - 1


def test_shift_by_hand():
    assert clip_windows(5, 3, 1) == [Window((0, 1, 2), 2), Window((2, 3, 4), 3)]
    # the last clip writes what the others leave
    assert clip_windows(6, 3, 1) == [
        Window((0, 1, 2), 2),
        Window((2, 3, 4), 2),
        Window((3, 4, 5), 3, 1),
    ]
    assert clip_windows(2, 3, 1) == [Window((0, 1, 1), 2)]
    assert clip_windows(1, 3, 2) == [Window((0, 0, 0), 1)]
    assert clip_windows(3, 1, 0) == [Window((t,), 1) for t in range(3)]
    assert clip_windows(7, 3, 0) == [
        Window((0, 1, 2), 3),
        Window((3, 4, 5), 3),
        Window((4, 5, 6), 3, 2),
    ]


def test_repeat_by_hand():
    assert clip_windows(5, 3, 1, 'repeat') == [
        Window((0, 1, 2), 2),
        Window((2, 3, 4), 2),
        Window((4, 4, 4), 1),
    ]
    assert clip_windows(6, 3, 1, 'repeat')[-1] == Window((4, 5, 4), 2)
    assert clip_windows(2, 5, 3, 'repeat') == [Window((0, 1, 0, 1, 0), 2)]


@pytest.mark.parametrize(
    'arguments, message',
    [
        ((0, 3, 1), 'at least one frame, got 0'),
        ((4, 0, 0), 'num_frames must be at least 1'),
        ((4, 3, 3), 'overlap must be from 0 to num_frames - 1 = 2, got 3'),
        ((4, 3, -1), 'got -1'),
        ((4, 3, 1, 'cut'), "'cut' is none of"),
    ],
)
def test_impossible_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        clip_windows(*arguments)


@pytest.mark.parametrize(
    'key, length, frames, expected',
    [
        (4, 9, 3, [3, 4, 5]),
        (0, 9, 3, [0, 1, 2]),
        (8, 9, 3, [6, 7, 8]),
        (4, 9, 4, [2, 3, 4, 5]),
        (1, 2, 3, [0, 1, 1]),
        (0, 1, 5, [0, 0, 0, 0, 0]),
        (3, 9, 1, [3]),
    ],
)
def test_clips_around_a_query_frame(key, length, frames, expected):
    assert consecutive_frames(key, length, frames) == expected


@pytest.mark.parametrize(
    'key, length, frames', [(4, 9, 3), (0, 9, 3), (0, 2, 5), (0, 1, 3), (5, 6, 1)]
)
def test_neighbours_hold_the_query_and_stay_near(key, length, frames):
    random.seed(0)
    seen = set()
    for _ in range(200):
        clip = neighbour_frames(key, length, frames)
        assert clip == sorted(clip) and len(clip) == frames
        assert key in clip
        assert all(abs(f - key) <= frames and 0 <= f < length for f in clip)
        if length > frames:
            assert len(set(clip)) == frames
        seen |= set(clip)
    if frames > 1:
        assert seen == {f for f in range(length) if abs(f - key) <= frames}
