"""Small videos whose switches can be counted on one hand."""

import numpy as np
import pytest

from mmcico.evaluation.diagnosis.identities import Counts, count_switches, pair_up


def found_by(*tracks):
    """Frames in which object 7 is overlapped by one track, or by none."""
    return [([7], [] if t is None else [t], np.full((1, int(t is not None)), 0.8)) for t in tracks]


@pytest.mark.parametrize(
    'tracks, switches, fragments',
    [
        ([1, 1, 1], 0, 0),
        ([1, 2, 2], 1, 0),
        ([1, 2, 1], 2, 0),
        ([1, None, 1], 0, 1),
        ([1, None, None, 2], 1, 1),  # against the last known one
        ([None, 1], 0, 0),
        ([1, None], 0, 0),
    ],
)
def test_one_object(tracks, switches, fragments):
    counts = count_switches(found_by(*tracks))
    assert (counts.switches, counts.fragments) == (switches, fragments)
    assert counts.objects == len(tracks)
    assert counts.found == len(tracks) - tracks.count(None)


def test_absence_is_no_fragment_but_another_track_after_it_is_a_switch():
    gone = [([], [], np.zeros((0, 0)))]
    same = count_switches(found_by(1) + gone + found_by(1))
    assert (same.switches, same.fragments, same.objects) == (0, 0, 2)
    other = count_switches(found_by(1) + gone + found_by(2))
    assert (other.switches, other.fragments) == (1, 0)


def test_the_last_track_is_kept_though_another_one_overlaps_more():
    frames = [([0], [5], np.array([[0.9]])), ([0], [5, 6], np.array([[0.5, 0.99]]))]
    assert count_switches(frames) == Counts(2, 2, 1, 0, 0)
    frames[1] = ([0], [5, 6], np.array([[0.49, 0.99]]))
    assert count_switches(frames) == Counts(2, 2, 1, 1, 0)


def test_two_objects_that_swap_are_two_switches():
    frames = [
        ([0, 1], [5, 6], np.array([[0.9, 0], [0, 0.9]])),
        ([0, 1], [5, 6], np.array([[0, 0.9], [0.9, 0]])),
    ]
    assert count_switches(frames) == Counts(4, 4, 0, 2, 0)


def test_new_pairs_have_the_largest_sum():
    iou = np.array([[0.9, 0.8], [0.8, 0.1]])
    assert pair_up([0, 1], [5, 6], iou, {}, 0.5) == {0: 6, 1: 5}
    assert pair_up([0, 1], [5, 6], iou, {0: 5}, 0.5) == {0: 5}
    # of two objects that had the track, the one seen later keeps it
    assert pair_up([0, 1], [5, 6], iou, {0: 5, 1: 5}, 0.5) == {1: 5, 0: 6}


def test_unmatched_tracks_are_false():
    frames = [([], [1, 2], np.zeros((0, 2))), ([0], [1], np.array([[0.4]]))]
    assert count_switches(frames) == Counts(1, 0, 3, 0, 0)


def test_no_frames():
    assert count_switches([]) == Counts()
