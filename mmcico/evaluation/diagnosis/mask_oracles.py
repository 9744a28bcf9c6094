"""Oracles that draw better masks: segmentation and coverage.

Both keep scores, classes and the number of tracks. They bring a track nearer to one object, its
own: the object that it takes at IoU 0.5, otherwise the object of its class that it overlaps most,
if their IoU is at least 0.1. As long as no two objects of a class share pixels, the IoU with its
own object never falls, and no other object reached an IoU of 0.5 before. Each object is then found
with the same or a better score, and AP never falls.
"""

from collections.abc import Callable

import numpy as np

from ..ground_truth import Track
from .cases import Case, with_masks, with_predictions, without_masks
from .errors import LEAST_IOU

#: a mask shows an object if their IoU in the frame is at least this
FRAME_IOU = 0.5


def own_objects(case: Case) -> np.ndarray:
    """Return the (D,) index of the object that each prediction is about, -1 for none."""
    if not len(case.objects):
        return np.full(len(case.predictions), -1)
    overlap = np.where(case.same_class & ~case.crowd, case.iou, 0.0)
    own = np.where(overlap.max(axis=1) >= LEAST_IOU, overlap.argmax(axis=1), -1)
    taken = case.taken[0]
    own[taken >= 0] = taken[taken >= 0]
    own[case.crowd[own] & (own >= 0)] = -1
    return own


def perfect_segmentation(case: Case) -> Case:
    """Correct the masks of all frames that have one.

    In each frame in which the IoU of a track and its own object is at least 0.1, the track gets
    the mask of the object. Other frames stay as they are.
    """

    def mend(row: int, own: int, track: Track) -> Track:
        frames = case.frame_iou[row, own] >= LEAST_IOU
        return with_masks(track, case.objects[own], frames)

    return _mend_each(case, mend)


def perfect_coverage(case: Case) -> Case:
    """Let tracks exist in exactly the frames in which their object is visible.

    A track gets the mask of its own object in frames in which it has none although the object is
    visible, unless another prediction shows the object there (mask IoU of at least 0.5, which
    would be an error of association). It loses its masks in frames in which its object is not
    visible, if their IoU with every other object is below 0.1.
    """
    shown = np.logical_or.reduce(case.frame_iou >= FRAME_IOU, axis=0)
    alone = np.logical_and.reduce(case.frame_iou < LEAST_IOU, axis=1)

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
