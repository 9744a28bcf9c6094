"""Oracles of masks: segmentation and coverage, which draw better ones, and association.

The first two keep scores, classes and the number of tracks. They bring a track nearer to one
object, its own: the object that it takes at IoU 0.5, otherwise the object of its class that it
overlaps most, if their IoU is at least 0.1. As long as no two objects of a class share pixels, the
IoU with its own object never falls, and no other object reached an IoU of 0.5 before. Each object
is then found with the same or a better score, and AP never falls.

Association links the existing masks without errors. Masks, classes and scores stay; only the tracks
that hold the masks change. AP can fall in rare cases: if two tracks show the same object, the one
with the better score is completed, although the other one may have the better masks.
"""

from collections.abc import Callable

import numpy as np

from ..ground_truth import Track, mean_seen
from .cases import Case, with_masks, without_masks
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
    return case.having(predictions, case.labels)


def shown_objects(case: Case) -> np.ndarray:
    """Return the (D, T) index of the object that each mask shows, -1 for none.

    A mask shows the object of any class that it overlaps most in its frame, if the IoU of the two
    masks is at least 0.5. Crowds are left out.
    """
    if not len(case.objects):
        return np.full(case.areas.shape, -1)
    overlap = np.where(case.crowd[:, None], 0.0, case.frame_iou)
    best = overlap.argmax(axis=1)
    return np.where(overlap.max(axis=1) >= FRAME_IOU, best, -1)


def home_objects(shown: np.ndarray, num_objects: int) -> np.ndarray:
    """Return the (D,) index of the object that most masks of a track show, -1 for none.

    ``shown`` (D, T) is that of ``shown_objects``. If several objects are shown equally often, the
    one that is shown first wins.
    """
    home = np.full(len(shown), -1)
    for row, objects in enumerate(shown):
        objects = objects[objects >= 0]
        if len(objects):
            counts = np.bincount(objects, minlength=num_objects)
            # argmax returns the first in time
            home[row] = objects[counts[objects].argmax()]
    return home


class Slots:
    """Tracks as slots that hold one mask or none in each frame.

    Args:
        case (Case): One video. At first, S = D slots hold the masks of its predictions.

    Attributes:
        content (np.ndarray): (S, T) index of the prediction whose mask the slot holds, -1 for none.
        shown (np.ndarray): (S, T) index of the object that this mask shows, -1 for none.
        home (np.ndarray): (S,) index of the object that the slot belongs to, -1 for none.
        labels (np.ndarray): (S,) class indices.
        scores (np.ndarray): (S,) scores.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        rows = np.arange(len(case.predictions))[:, None]
        self.content = np.where(case.areas > 0, rows, -1)
        self.shown = shown_objects(case)
        self.home = home_objects(self.shown, len(case.objects))
        self.labels = case.labels
        self.scores = case.scores

    def add_homes(self) -> None:
        """Add an empty slot for each object that is shown but has no slot of its own.

        The slot gets class and score of the best track that shows the object.
        """
        new = np.setdiff1d(self.shown[self.shown >= 0], self.home)
        sources = [int((self.shown == each).any(axis=1).argmax()) for each in new]
        empty = np.full((len(new), self.content.shape[1]), -1)
        self.content = np.concatenate([self.content, empty])
        self.shown = np.concatenate([self.shown, empty])
        self.home = np.append(self.home, new)
        self.labels = np.append(self.labels, self.labels[sources])
        self.scores = np.append(self.scores, self.scores[sources])

    def main_slots(self) -> list[int]:
        """Return the slot with the best score of each object and class."""
        first: dict[tuple[int, int], int] = {}
        for slot, key in enumerate(zip(self.home, self.labels)):
            if key[0] >= 0:
                first.setdefault(key, slot)
        return sorted(first.values())

    def complete(self, slot: int) -> None:
        """Exchange masks so that a slot holds as many masks of its object as possible."""
        each = self.home[slot]
        near = self.labels == self.labels[slot]
        usable = near | (self.home != each)
        for frame in np.flatnonzero(self.shown[slot] != each):
            there = usable & (self.shown[:, frame] == each)
            if not there.any():
                continue
            preferred = there & near
            other = int((preferred if preferred.any() else there).argmax())
            pair, back = [slot, other], [other, slot]
            self.content[pair, frame] = self.content[back, frame]
            self.shown[pair, frame] = self.shown[back, frame]

    def drop_strays(self) -> None:
        """Remove masks that show another object than the one of their slot."""
        stray = (self.shown >= 0) & (self.shown != self.home[:, None])
        self.content[stray] = -1

    def track(self, slot: int) -> Track:
        """Return the content of a slot as a track."""
        sources = self.content[slot]
        masks = [
            None if source < 0 else self.case.predictions[source].masks[frame]
            for frame, source in enumerate(sources)
        ]
        areas = np.zeros(self.case.video.length)
        filled = sources >= 0
        areas[filled] = self.case.areas[sources[filled], filled]
        return Track(masks, areas, mean_seen(areas), score=float(self.scores[slot]))


def perfect_association(case: Case) -> Case:
    """Link the masks so that each track follows one object.

    1. A mask shows the object of any class that it overlaps most in its frame, if their IoU there
       is at least 0.5.
    2. A track belongs to the object that most of its masks show (the first in time of equal
       ones). An object that masks show but no track belongs to gets a new empty track with class
       and score of the best track that shows it.
    3. For each object and predicted class, the track with the best score that belongs to the
       object is completed. In frames in which it does not show the object, it exchanges its mask
       (or its gap) for a mask that does. That mask comes from a track of its class, otherwise from
       a track of another class that does not belong to the object; better scores first.
    4. Masks that still show another object than the one of their track are removed, because that
       object has a mask there. Tracks that lose all masks are removed.
    """
    slots = Slots(case)
    slots.add_homes()
    for slot in slots.main_slots():
        slots.complete(slot)
    slots.drop_strays()
    was_empty = ~(case.areas > 0).any(axis=1)
    kept = np.logical_or.reduce(slots.content >= 0, axis=1)
    kept[: len(case.predictions)] |= was_empty
    rows = np.flatnonzero(kept)
    return case.having([slots.track(row) for row in rows.tolist()], slots.labels[rows])
