"""Plots of a diagnosis. They need matplotlib."""

from pathlib import Path
from typing import Any

import numpy as np

from mmcico.utils.files import whole_file

from .breakdown import BASE

MAX_NAMES = 40  # with more classes there is no room for their names


def has_matplotlib() -> bool:
    """Return whether matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def draw_all(
    folder: Path, errors: dict[str, Any], curves: dict[str, Any], confusion: dict[str, Any]
) -> list[str]:
    """Write ``errors.png``, ``curves.png`` and ``confusion.png``; return the names."""
    figures = dict(
        errors=draw_errors(errors), curves=draw_curves(curves), confusion=draw_confusion(confusion)
    )
    for name, figure in figures.items():
        with whole_file(folder / f'{name}.png') as file:
            figure.savefig(file, dpi=110, format='png')
    return [f'{name}.png' for name in figures]


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def draw_errors(errors: dict[str, Any]) -> Any:
    """Draw the gain of each oracle as bars, in points of AP."""
    figure = _figure(6, 3)
    axis = figure.subplots()
    names = [name for name in errors['oracles'] if name != BASE]
    gains = [100 * (errors['oracles'][name]['gain'] or 0) for name in names]
    axis.barh(names[::-1], gains[::-1])
    axis.axvline(0, color='black', linewidth=0.8)
    axis.set_xlabel('gain of AP if this were perfect, points')
    return figure


def draw_curves(curves: dict[str, Any]) -> Any:
    """Draw precision over recall: means at three IoU thresholds, and each class at IoU 0.5."""
    figure = _figure(9, 4)
    left, right = figure.subplots(1, 2, sharey=True)
    classes = curves['precision']
    for level in next(iter(classes.values()), {}):
        mean = np.mean([each[level] for each in classes.values()], axis=0)
        left.plot(curves['recall'], mean, label=f'IoU {level}, AP {mean.mean():.3f}')
    for each in classes.values():
        right.plot(curves['recall'], each['0.50'], label='class')
    left.set_title('mean over classes')
    right.set_title('each class at IoU 0.50')
    left.set_ylabel('precision')
    for axis in (left, right):
        axis.set_xlabel('recall')
        axis.set_xlim(0, 1)
        axis.set_ylim(0, 1.02)
    if classes:
        left.legend()
    if 0 < len(classes) <= 10:
        # as they are: matplotlib takes "$" for mathematics and leaves out names that begin with "_"
        for text, name in zip(right.legend(fontsize=7).get_texts(), classes):
            text.set(text=name, parse_math=False)
    return figure


def draw_confusion(confusion: dict[str, Any]) -> Any:
    """Draw the share of each row that each column has."""
    matrix = np.array(confusion['matrix'], float)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(3 + 0.35 * len(matrix), 16)
    figure = _figure(side + 1, side)
    axis = figure.subplots()
    axis.imshow(share, cmap='Blues', vmin=0, vmax=1, aspect='auto')
    if len(matrix) <= MAX_NAMES:
        columns, rows = confusion['columns'], confusion['rows']
        axis.set_xticks(range(len(columns)), columns, rotation=90, parse_math=False)
        axis.set_yticks(range(len(rows)), rows, parse_math=False)
        for row, column in np.argwhere(matrix > 0):
            axis.text(
                column,
                row,
                f'{matrix[row, column]:.0f}',
                ha='center',
                va='center',
                fontsize=7,
                color='white' if share[row, column] > 0.5 else 'black',
            )
    axis.set_xlabel('predicted class')
    axis.set_ylabel('object')
    return figure
