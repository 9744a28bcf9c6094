"""Measure the temporal coherence of a data set: T-BIoU and T-MIoU of neighbouring frames.

    python tools/benchmarks/temporal_coherence.py data/train.json \\
        --json coherence.json --plot coherence.png

Section 3.2 and Fig. 3 of the paper define both. The tool needs only annotations, NumPy and
pycocotools; --plot also needs matplotlib.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from coherence import MEASURES, dataset_coherence

from mmcico.formats.read import read_annotations
from mmcico.utils.tool import (
    add_json,
    align_rows,
    positive_int,
    run_tool,
    tool_parser,
    write_output,
)

TITLES = dict(boxes=('T-BIoU', 'P_B'), masks=('T-MIoU', 'P_M'))


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument(
        '--intervals',
        type=positive_int,
        default=4,
        metavar='D',
        help='compare frames 1 to D apart (default: 4)',
    )
    parser.add_argument('--plot', help='figure to write, such as out.png')
    add_json(parser, 'the numbers', 'without table')
    return parser.parse_args(argv)


def coherence_text(found: dict[str, Any]) -> str:
    """Return the table of counts, means and shares of every distance.

    Args:
        found (dict): Result of ``Coherence.as_dict``.
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
    return '\n'.join([head, ''] + align_rows(rows))


def plot_coherence(found: dict[str, Any], path: str) -> None:
    """Draw histograms of both measures, one column for each distance.

    Args:
        found (dict): Result of ``Coherence.as_dict``.
        path (str): Picture to write; its suffix is the format.

    Raises:
        ValueError: If matplotlib is not installed, or cannot write such a file.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ValueError(
            '--plot needs matplotlib, which is not installed; run: pip install matplotlib, or '
            'leave --plot out'
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
    """Draw the bars of one histogram, in percent, on axes of matplotlib."""
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


def main(argv: Sequence[str]) -> None:
    """Print the table and draw the figure."""
    args = parse_args(argv)
    file = read_annotations(args.annotations)
    found = dict(file=file.name, **dataset_coherence(file, args.intervals).as_dict())
    write_output(coherence_text(found), found, args.json, sys.stdout)
    if args.plot:
        plot_coherence(found, args.plot)


if __name__ == '__main__':
    sys.exit(run_tool(main))
