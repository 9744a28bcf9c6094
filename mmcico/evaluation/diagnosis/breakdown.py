"""AP of a result with one kind of error removed at a time."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..figures import Curves, class_curves, mean_precision
from ..matching import Matches
from . import flag_oracles as flags
from .cases import Case
from .errors import count_errors
from .mask_oracles import perfect_association, perfect_coverage, perfect_segmentation

Oracle = Callable[[Case], flags.Flags]
BASE = 'as it is'
#: limit of predictions in curves; cases already hold at most 100 of a class
ALL_ROWS = 10**9


def _of_masks(change: Callable[[Case], Case]) -> Oracle:
    return lambda case: flags.as_they_are(change(case))


#: name -> oracle; the docstring of each function says what it changes
ORACLES: dict[str, Oracle] = {
    BASE: flags.as_they_are,
    'classification': flags.perfect_classification,
    'association': _of_masks(perfect_association),
    'segmentation': _of_masks(perfect_segmentation),
    'coverage': _of_masks(perfect_coverage),
    'duplicates': flags.perfect_duplicates,
    'background': flags.perfect_background,
    'misses': flags.perfect_misses,
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


def class_ap(curves: Curves | None, level: int | None = None) -> float | None:
    """Return the AP of a class, at one IoU threshold or the mean over all; None without objects."""
    if curves is None:
        return None
    chosen = curves.precision if level is None else curves.precision[level]
    return float(chosen.mean())


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
            for label, each in flags.class_matches(oracle(case), case.object_labels):
                matches[name][label].append(each)
        for kind, number in count_errors(case, len(names)).items():
            counts[kind] = counts.get(kind, 0) + number
    curves = {
        name: [class_curves(each, 0, ALL_ROWS) for each in by_class]
        for name, by_class in matches.items()
    }
    return Breakdown(names, fill_empty(curves), counts)


def fill_empty(curves: dict[str, list[Curves | None]]) -> dict[str, list[Curves | None]]:
    """Replace the curves of an oracle that left no object of any class by perfect ones.

    All objects were missed; without that error, nothing is wrong.
    """
    filled = {}
    for name, each in curves.items():
        if all(one is None for one in each):
            each = [
                one and Curves(np.ones_like(one.precision), np.ones_like(one.recall))
                for one in curves[BASE]
            ]
        filled[name] = each
    return filled
