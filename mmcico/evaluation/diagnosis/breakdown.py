"""AP of a result as it is, and as it would be without one kind of error."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..figures import Curves, class_curves
from ..matching import Matches
from . import flag_oracles as flags
from .association import perfect_association
from .cases import Case
from .errors import count_errors
from .mask_oracles import perfect_coverage, perfect_segmentation

Oracle = Callable[[Case], flags.Flags]
BASE = 'as it is'
#: of each video and class; predictions are cut to 100 before
ALL_ROWS = 10**9


def _of_masks(change: Callable[[Case], Case]) -> Oracle:
    return lambda case: flags.as_they_are(change(case))


#: what each one does stands in its own words
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
    """What the videos together say.

    Attributes:
        names (list[str]): K classes.
        curves (dict[str, list[Curves | None]]): Of each oracle and class,
            None for a class without objects.
        counts (dict[str, np.ndarray]): (K,) of ``errors.count_errors``.
    """

    names: list[str]
    curves: dict[str, list[Curves | None]]
    counts: dict[str, np.ndarray]

    def as_dict(self) -> dict[str, Any]:
        """Figures for a file.

        ``classes``: names. ``oracles``: of each one ``AP``, ``AP50``,
        ``AP75``, the ``gain`` of AP, and ``AP_per_class`` in the order of
        the classes. ``counts``: of predictions and objects at IoU 0.5, over
        all classes.
        """
        figures = {name: mean_figures(each) for name, each in self.curves.items()}
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
    """AP of a class, None without objects.

    Args:
        curves (Curves, optional): Of the class.
        level (int, optional): Position of an IoU threshold instead of the
            mean of all ten.
    """
    if curves is None:
        return None
    chosen = curves.precision if level is None else curves.precision[level]
    return float(chosen.mean())


def mean_figures(curves: list[Curves | None]) -> dict[str, float | None]:
    """``AP``, ``AP50`` and ``AP75``, means over the classes with objects.

    Where nothing is left to be found they are None.
    """
    known = [each for each in curves if each is not None]
    levels = dict(AP=None, AP50=0, AP75=5)
    return {
        name: float(np.mean([class_ap(each, level) for each in known])) if known else None
        for name, level in levels.items()
    }


def break_down(cases: Iterable[Case], names: list[str]) -> Breakdown:
    """Measure with each of ``ORACLES``.

    Args:
        cases (Iterable[Case]): Of all videos; each is forgotten after use.
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
    """Perfect curves where an oracle left no object of any class.

    All objects were missed; without that error nothing is wrong.
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
