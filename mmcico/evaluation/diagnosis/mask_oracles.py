"""Oracles that draw better masks: segmentation and coverage.

Both leave scores, classes and the number of tracks alone, and bring a track
nearer to one object, its own: the one it takes at IoU 0.5, else the one of
its class it overlaps most, if by 0.1 or more. As long as no two objects of a
class share pixels, its IoU with that object never falls, and with no other
one it reached 0.5 before; so each object is found with the same or a better
score, and AP never falls.
"""

from collections.abc import Callable

import numpy as np

from ..tracks import Track
from .cases import Case, with_masks, with_predictions, without_masks
from .errors import LEAST_IOU

#: a mask that overlaps that of an object as much shows this object
FRAME_IOU = 0.5


def own_objects(case: Case) -> np.ndarray:
    """(D,) the object that each prediction is about, -1 for none."""
    if not len(case.objects):
        return np.full(len(case.predictions), -1)
    usable = case.same_class & ~case.crowd
    overlap = np.where(usable, case.iou, 0.0)
    own = np.where(overlap.max(axis=1) >= LEAST_IOU, overlap.argmax(axis=1), -1)
    taken = case.taken[0]
    own[taken >= 0] = taken[taken >= 0]
    own[case.crowd[own] & (own >= 0)] = -1
    return own


def perfect_segmentation(case: Case) -> Case:
    """Right masks wherever there is one.

    In each frame in which a track overlaps its own object by a mask IoU of
    0.1 or more, it gets the mask of the object. Frames in which it shows
    something else, or nothing, stay as they are.
    """

    def mend(row: int, own: int, track: Track) -> Track:
        frames = case.frame_iou[row, own] >= LEAST_IOU
        return with_masks(track, case.objects[own], frames)

    return _mend_each(case, mend)


def perfect_coverage(case: Case) -> Case:
    """Tracks that are there in the frames in which their object is seen.

    A track gets the mask of its own object in frames in which it has none
    although the object is seen, if no other prediction shows the object
    there (mask IoU 0.5 or more; that would be an error of association). Its
    masks in frames in which the object is not seen are taken away, if they
    overlap every other object by less than 0.1.
    """
    shown = (case.frame_iou >= FRAME_IOU).any(axis=0)
    alone = (case.frame_iou < LEAST_IOU).all(axis=1)

    def mend(row: int, own: int, track: Track) -> Track:
        seen = case.object_areas[own] > 0
        there = case.areas[row] > 0
        track = with_masks(track, case.objects[own], seen & ~there & ~shown[own])
        return without_masks(track, ~seen & there & alone[row])

    return _mend_each(case, mend)


def _mend_each(case: Case, mend: Callable[[int, int, Track], Track]) -> Case:
    """Apply a function to each prediction that is about an object."""
    predictions = [
        track if own < 0 else mend(row, own, track)
        for row, (track, own) in enumerate(zip(case.predictions, own_objects(case)))
    ]
    return with_predictions(case, predictions, case.labels)
