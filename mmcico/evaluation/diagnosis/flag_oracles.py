"""Oracles that change what counts, not masks: AP can only rise.

Each one mends its errors at each of the ten IoU thresholds, as that
threshold sees them. A wrong prediction that goes away, a right one that moves
up, and a missed object that is no longer asked for never lower precision at
any recall; so AP never falls, at any threshold.
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
    """What counts for the AP of one video.

    Attributes:
        labels (np.ndarray): (R,) class of each row, a prediction.
        scores (np.ndarray): (R,).
        found (np.ndarray): (10, R) bool, right at each of ``IOU_THRS``.
        ignored (np.ndarray): (10, R) bool, does not count there.
        wanted (np.ndarray): (G,) bool, objects that should be found.
    """

    labels: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    wanted: np.ndarray


def as_they_are(case: Case) -> Flags:
    """No oracle: what the metric counts."""
    kinds = prediction_kinds(case)
    return Flags(case.labels, case.scores, kinds == RIGHT, kinds == IGNORED, ~case.crowd)


def perfect_duplicates(case: Case) -> Flags:
    """No duplicates.

    A prediction that reaches the threshold with an object of its class which
    a better-scored prediction took is left out.
    """
    flags = as_they_are(case)
    return flags._replace(ignored=flags.ignored | (prediction_kinds(case) == DUPLICATE))


def perfect_background(case: Case) -> Flags:
    """No false positives on background.

    A prediction that overlaps every object of any class by less than 0.1 is
    left out.
    """
    flags = as_they_are(case)
    return flags._replace(ignored=flags.ignored | (prediction_kinds(case) == BACKGROUND))


def perfect_misses(case: Case) -> Flags:
    """Nothing missed.

    An object that every prediction of any class overlaps by less than 0.1 is
    not asked for, as TIDE does: no masks and scores have to be made up for
    it, it counts as found as well as the others were.
    """
    return as_they_are(case)._replace(wanted=~case.crowd & ~missed_objects(case))


def perfect_classification(case: Case) -> Flags:
    """Right classes.

    A prediction that reaches the threshold with no object of its class, but
    with one of another class, gets the class of the one it overlaps most and
    keeps its score. An object keeps one prediction of its class then, the
    one with the best score; the others of these are left out.
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
        holder: dict[int, int] = {
            case.taken[level, i]: i for i in np.flatnonzero(flags.found[level])
        }
        seen = set()
        for place in np.flatnonzero(wrong[level, rows]):
            each = target[place]
            if each in seen:  # rows fall in score: the first is the best
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
    """Flags of one video in the form that precision is counted from.

    Args:
        flags (Flags): Of the video.
        object_labels (np.ndarray): (G,).

    Yields:
        tuple[int, Matches]: A class and what became of its predictions, by
        falling score, with one group and ten thresholds.
    """
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
