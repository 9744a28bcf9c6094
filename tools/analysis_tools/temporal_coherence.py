"""Temporal coherence of a data set: T-BIoU and T-MIoU of neighbour frames.

    python tools/analysis_tools/temporal_coherence.py data/train.json \\
        --json coherence.json --plot coherence.png

Section 3.2 and Fig. 3 of the paper, from annotations alone. Needs numpy and
pycocotools only; --plot also matplotlib.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'dataset_tools'))
from pure_import import pure_import

from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument(
        '--intervals',
        type=int,
        default=4,
        metavar='D',
        help='compare frames 1 to D apart (default: 4)',
    )
    parser.add_argument('--plot', help='figure to write, such as out.png')
    parser.add_argument(
        '--json',
        nargs='?',
        const='-',
        metavar='FILE',
        help='write the numbers as JSON to a file, or instead of the table',
    )
    args = parser.parse_args(argv)
    if args.intervals < 1:
        parser.error(f'--intervals {args.intervals}: choose 1 or more')
    return args


def main(argv: Sequence[str]) -> int:
    """Measure, print, draw, and say by the exit code whether all is well."""
    args = parse_args(argv)
    files = pure_import('datasets.annotation_files')
    coherence = pure_import('analysis.coherence')
    plot = pure_import('analysis.coherence_plot')
    write_output = pure_import('analysis.output').write_output
    try:
        file = files.read_annotations(args.annotations)
        found = dict(file=file.name, **coherence.dataset_coherence(file, args.intervals).as_dict())
        write_output(plot.coherence_text(found), found, args.json, sys.stdout)
        if args.plot:
            plot.plot_coherence(found, args.plot)
    except (ValueError, OSError) as error:
        print(f'temporal_coherence: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
