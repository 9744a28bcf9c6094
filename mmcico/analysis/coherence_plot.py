"""Temporal coherence as table and figure (paper Fig. 3)."""

from pathlib import Path
from typing import Any

from .coherence import MEASURES
from .stats_text import aligned

TITLES = dict(boxes=('T-BIoU', 'P_B'), masks=('T-MIoU', 'P_M'))


def coherence_text(found: dict[str, Any]) -> str:
    """Counts, means and shares of every distance.

    Args:
        found (dict): Of :meth:`.coherence.Coherence.as_dict`.
    """
    rows = [
        [
            'distance in frames',
            'values',
            'mean T-BIoU',
            'T-BIoU >= 0.75',
            'mean T-MIoU',
            'T-MIoU >= 0.75',
        ]
    ]
    for d in found['boxes']:
        row = [d, str(found['boxes'][d]['count'])]
        for name in MEASURES:
            one = found[name][d]
            row += (
                ['-', '-']
                if one['mean'] is None
                else [f'{one["mean"]:.3f}', f'{one["share_above"]:.1%}']
            )
        rows.append(row)
    head = f'{found["file"]}: {found["videos"]} videos, {found["objects"]} objects'
    return '\n'.join([head, ''] + aligned(rows))


def plot_coherence(found: dict[str, Any], path: str) -> None:
    """Draw histograms of both measures, one column a distance.

    Args:
        found (dict): Of :meth:`.coherence.Coherence.as_dict`.
        path (str): Picture to write; its ending says the format.

    Raises:
        ValueError: If matplotlib is not installed, or cannot write such a
            file.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError(
            'the figure is drawn by matplotlib, which is not '
            'installed: pip install matplotlib, or leave --plot '
            'out'
        ) from error
    distances = list(found['boxes'])
    figure = Figure(figsize=(2.6 * len(distances), 4.6), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(MEASURES), len(distances), sharex=True, sharey='row', squeeze=False)
    for row, name in zip(axes, MEASURES):
        for axis, d in zip(row, distances):
            draw_histogram(axis, found[name][d], found['bin_step'])
            share = found[name][d]['share_above']
            sign = TITLES[name][1]
            note = (
                '' if share is None else (rf'${sign}^{{\geq {found["threshold"]}}}$ = {share:.1%}')
            )
            axis.set_title(rf'$\delta$ = {d}, {note}', fontsize=9)
        row[0].set_ylabel('share of values, %')
        for axis in row:
            axis.set_xlabel(TITLES[name][0])
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def draw_histogram(axis: Any, one: dict[str, Any], step: float) -> None:
    """Bars of one histogram, in percent.

    Args:
        axis (matplotlib.axes.Axes): To draw on.
        one (dict): Of :meth:`.coherence.Histogram.as_dict`.
        step (float): Width of a bin.
    """
    count = max(one['count'], 1)
    starts = [number * step for number in range(len(one['histogram']))]
    axis.bar(
        starts,
        [100 * value / count for value in one['histogram']],
        width=step,
        align='edge',
        edgecolor='white',
        linewidth=0.5,
    )
    axis.set_xlim(0, 1)
    axis.tick_params(labelsize=8)
