"""Rows of the files that a diagnosis consists of."""

from collections.abc import Iterator
from typing import Any

from ..figures import RECALL_THRS
from .breakdown import BASE, Breakdown, class_ap

#: curves at these IoU thresholds; None is the mean over all ten
CURVE_LEVELS = {'0.50': 0, '0.75': 5, '0.50:0.95': None}


def class_rows(breakdown: Breakdown) -> list[dict[str, Any]]:
    """A row of each class.

    Args:
        breakdown (Breakdown): Of the result.

    Returns:
        list[dict]: ``class``, ``AP``, ``AP50``, ``AP75``, ``AR100`` (None
        without objects), and the numbers at IoU 0.5.
    """
    rows = []
    for index, name in enumerate(breakdown.names):
        curves = breakdown.curves[BASE][index]
        row = {
            'class': name,
            'AP': class_ap(curves),
            'AP50': class_ap(curves, 0),
            'AP75': class_ap(curves, 5),
            'AR100': None if curves is None else float(curves.recall.mean()),
        }
        row.update({kind: int(number[index]) for kind, number in breakdown.counts.items()})
        rows.append(row)
    return rows


def curve_dict(breakdown: Breakdown) -> dict[str, Any]:
    """Precision over recall.

    Returns:
        dict: ``recall``, 101 values; ``precision`` by class name and IoU
        threshold, as many. Classes without objects are left out.
    """
    precision: dict[str, dict[str, list[float]]] = {}
    for name, curves in zip(breakdown.names, breakdown.curves[BASE]):
        if curves is None:
            continue
        precision[name] = {
            label: (
                curves.precision.mean(axis=0) if level is None else curves.precision[level]
            ).tolist()
            for label, level in CURVE_LEVELS.items()
        }
    return dict(recall=RECALL_THRS.tolist(), precision=precision)


def curve_rows(curves: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row a point of each curve of ``curve_dict``."""
    for name, levels in curves['precision'].items():
        for level, values in levels.items():
            for recall, precision in zip(curves['recall'], values):
                yield {
                    'class': name,
                    'iou': level,
                    'recall': round(recall, 2),
                    'precision': precision,
                }


def error_rows(errors: dict[str, Any]) -> list[dict[str, Any]]:
    """A row of each oracle of ``Breakdown.as_dict``."""
    return [
        dict(
            perfect=name, **{key: value for key, value in figures.items() if key != 'AP_per_class'}
        )
        for name, figures in errors['oracles'].items()
    ]


def confusion_rows(confusion: dict[str, Any]) -> list[dict[str, Any]]:
    """A row of each row of ``confusion_dict``."""
    return [
        {'object': name, **dict(zip(confusion['columns'], numbers))}
        for name, numbers in zip(confusion['rows'], confusion['matrix'])
    ]
