"""AP of a result with one kind of error removed at a time, by oracles.

Oracles of flags change which predictions and objects count, and no masks. They correct their errors
separately at each of the ten IoU thresholds. Removing a wrong prediction, moving a right one up, or
excusing a missed object never lowers precision at any recall. AP therefore never falls, at any
threshold.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..figures import Curves, class_curves, mean_precision
from ..matching import IOU_THRS, Matches
from .cases import Case
from .errors import (
    BACKGROUND,
    CLASSIFICATION,
    DUPLICATE,
    IGNORED,
    RIGHT,
    count_errors,
    missed_objects,
    prediction_kinds,
)
from .mask_oracles import perfect_association, perfect_coverage, perfect_segmentation

BASE = 'as it is'
#: limit of predictions in curves; cases already hold at most 100 of a class
ALL_ROWS = 10**9


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


Oracle = Callable[[Case], Flags]


def as_they_are(case: Case) -> Flags:
    """Return the flags of the metric, without any oracle."""
    kinds = prediction_kinds(case)
    return Flags(case.labels, case.scores, kinds == RIGHT, kinds == IGNORED, ~case.crowd)


def _without(kind: int) -> Oracle:
    """Return an oracle that leaves out the predictions of a kind of ``errors.KINDS``."""

    def oracle(case: Case) -> Flags:
        flags = as_they_are(case)
        return flags._replace(ignored=flags.ignored | (prediction_kinds(case) == kind))

    return oracle


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


def _of_masks(change: Callable[[Case], Case]) -> Oracle:
    """Return the oracle that changes masks."""
    return lambda case: as_they_are(change(case))


#: name -> oracle; the docstring of each function, or ``prediction_kinds``, says what it changes
ORACLES: dict[str, Oracle] = {
    BASE: as_they_are,
    'classification': perfect_classification,
    'association': _of_masks(perfect_association),
    'segmentation': _of_masks(perfect_segmentation),
    'coverage': _of_masks(perfect_coverage),
    'duplicates': _without(DUPLICATE),
    'background': _without(BACKGROUND),
    'misses': perfect_misses,
}


class Breakdown(NamedTuple):
    """Curves and counts over all videos.

    Attributes:
        names (list[str]): Names of the K classes.
        curves (dict[str, list[Curves | None]]): Oracle -> curves of each class, None for a class
            without objects.
        counts (dict[str, np.ndarray]): (K,) sums of ``errors.count_errors``.
    """

    names: list[str]
    curves: dict[str, list[Curves | None]]
    counts: dict[str, np.ndarray]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for a file.

        Returns:
            dict: ``classes``: names; ``oracles``: for each one ``AP``, ``AP50``, ``AP75``, the
            ``gain`` of AP, and ``AP_per_class`` in the order of the classes; ``counts`` of
            predictions and objects at IoU 0.5, over all classes.
        """
        figures: dict[str, dict[str, Any]] = {
            name: dict(mean_precision(each)) for name, each in self.curves.items()
        }
        base = figures[BASE]['AP']
        for name, each in figures.items():
            each['gain'] = None if base is None else each['AP'] - base
            each['AP_per_class'] = [*map(class_ap, self.curves[name])]
        return dict(
            classes=self.names,
            oracles=figures,
            counts={name: int(n.sum()) for name, n in self.counts.items()},
        )


def class_ap(curves: Curves | None, levels: slice = slice(None)) -> float | None:
    """Return the AP of a class, a mean over IoU thresholds; None without objects."""
    return None if curves is None else float(curves.precision[levels].mean())


def break_down(cases: Iterable[Case], names: list[str]) -> Breakdown:
    """Measure the result with each of ``ORACLES``.

    Args:
        cases (Iterable[Case]): All videos; none is kept after its use.
        names (list[str]): Names of the K classes.

    Returns:
        Breakdown: Curves and counts.
    """
    matches: dict[str, list[list[Matches]]] = {name: [[] for _ in names] for name in ORACLES}
    counts: dict[str, np.ndarray] = {}
    for case in cases:
        for name, oracle in ORACLES.items():
            for label, each in class_matches(oracle(case), case.object_labels):
                matches[name][label].append(each)
        for kind, number in count_errors(case, len(names)).items():
            counts[kind] = counts.get(kind, 0) + number
    curves = {
        name: [class_curves(each, 0, ALL_ROWS) for each in by_class]
        for name, by_class in matches.items()
    }
    # an oracle without objects: all were missed; without that error, nothing is wrong
    perfect = [one and Curves(*map(np.ones_like, one)) for one in curves[BASE]]
    filled = {name: each if any(each) else perfect for name, each in curves.items()}
    return Breakdown(names, filled, counts)


def class_matches(flags: Flags, object_labels: np.ndarray) -> Iterator[tuple[int, Matches]]:
    """Yield each class and the matches of its predictions, with one group and ten thresholds."""
    order = np.argsort(-flags.scores, kind='stable')
    for label in np.union1d(flags.labels, object_labels).tolist():
        rows = order[flags.labels[order] == label]
        found, ignored = flags.found[None, :, rows], flags.ignored[None, :, rows]
        number = (flags.wanted & (object_labels == label)).sum(keepdims=True)
        yield label, Matches(flags.scores[rows], found, ignored, number)
