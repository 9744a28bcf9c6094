"""Oracles that change which predictions and objects count, and no masks.

Each oracle corrects its errors separately at each of the ten IoU thresholds. Removing a wrong
prediction, moving a right one up, or excusing a missed object never lowers precision at any
recall. AP therefore never falls, at any threshold.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..matching import IOU_THRS, Matches
from .cases import Case
from .errors import (
    BACKGROUND,
    CLASSIFICATION,
    DUPLICATE,
    IGNORED,
    RIGHT,
    missed_objects,
    prediction_kinds,
)


class Flags(NamedTuple):
    """The R predictions and G objects of one video that count for AP.

    Attributes:
        labels (np.ndarray): (R,) class of each prediction.
        scores (np.ndarray): (R,) scores.
        found (np.ndarray): (10, R) bool, whether it is right at each of ``IOU_THRS``.
        ignored (np.ndarray): (10, R) bool, whether it does not count there.
        wanted (np.ndarray): (G,) bool, objects to be found.
    """

    labels: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    wanted: np.ndarray


def as_they_are(case: Case) -> Flags:
    """Return the flags of the metric, without any oracle."""
    kinds = prediction_kinds(case)
    return Flags(case.labels, case.scores, kinds == RIGHT, kinds == IGNORED, ~case.crowd)


def perfect_duplicates(case: Case) -> Flags:
    """Leave out duplicates.

    A duplicate reaches the threshold with an object of its class that a prediction with a better
    score took.
    """
    flags = as_they_are(case)
    return flags._replace(ignored=flags.ignored | (prediction_kinds(case) == DUPLICATE))


def perfect_background(case: Case) -> Flags:
    """Leave out predictions whose IoU with every object of any class is below 0.1."""
    flags = as_they_are(case)
    return flags._replace(ignored=flags.ignored | (prediction_kinds(case) == BACKGROUND))


def perfect_misses(case: Case) -> Flags:
    """Do not ask for objects whose IoU with every prediction of any class is below 0.1.

    As in TIDE, no masks and scores have to be invented for them: they count as found as well as
    the other objects are.
    """
    return as_they_are(case)._replace(wanted=~case.crowd & ~missed_objects(case))


def perfect_classification(case: Case) -> Flags:
    """Correct wrong classes.

    A prediction that reaches the threshold with an object of another class, but with none of its
    own, gets the class of the object that it overlaps most and keeps its score. Each object then
    keeps the prediction of its class with the best score; the others are left out.
    """
    flags = as_they_are(case)
    wrong = prediction_kinds(case) == CLASSIFICATION
    rows = np.flatnonzero(wrong.any(axis=0))
    if not len(rows):
        return flags
    others = np.where(case.same_class | case.crowd, -1.0, case.iou)
    target = others[rows].argmax(axis=1)
    found = flags.found.copy()
    ignored = flags.ignored | wrong
    added = np.zeros((len(IOU_THRS), len(rows)), bool)
    for level in range(len(IOU_THRS)):
        holder = {int(case.taken[level, i]): int(i) for i in np.flatnonzero(flags.found[level])}
        seen = set()
        for place in np.flatnonzero(wrong[level, rows]):
            each = target[place]
            if each in seen:  # scores descend: the first is the best
                continue
            seen.add(each)
            if each not in holder:
                added[level, place] = True
            elif case.scores[rows[place]] > case.scores[holder[each]]:
                added[level, place] = True
                found[level, holder[each]] = False
                ignored[level, holder[each]] = True
    return Flags(
        np.concatenate([case.labels, case.object_labels[target]]),
        np.concatenate([case.scores, case.scores[rows]]),
        np.concatenate([found, added], axis=1),
        np.concatenate([ignored, ~added], axis=1),
        flags.wanted,
    )


def class_matches(flags: Flags, object_labels: np.ndarray) -> Iterator[tuple[int, Matches]]:
    """Yield each class and the matches of its predictions, with one group and ten thresholds."""
    present: list[int] = np.union1d(flags.labels, object_labels).tolist()
    for label in present:
        rows = np.flatnonzero(flags.labels == label)
        rows = rows[np.argsort(-flags.scores[rows], kind='stable')]
        number = int((flags.wanted & (object_labels == label)).sum())
        yield (
            int(label),
            Matches(
                flags.scores[rows],
                flags.found[None, :, rows],
                flags.ignored[None, :, rows],
                np.array([number]),
            ),
        )
