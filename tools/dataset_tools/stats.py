"""Print statistics of an annotation file of YouTube-VIS, OVIS or CocoVID.

    python tools/dataset_tools/stats.py data/train.json --json stats.json

Needs numpy and pycocotools only.
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico.analysis.output import write_output
from mmcico.analysis.stats import dataset_stats
from mmcico.analysis.stats_text import stats_text
from mmcico.formats.read import read_annotations
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument(
        '--json',
        nargs='?',
        const='-',
        metavar='FILE',
        help='write the numbers as JSON to a file, or to the output in place of the tables',
    )
    parser.add_argument(
        '--crowds-as-objects',
        action='store_true',
        help='take iscrowd as 0: CVAT and brush tools set it for single objects',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Read, count and print."""
    args = parse_args(argv)
    try:
        file = read_annotations(args.annotations, crowds_as_objects=args.crowds_as_objects)
    except ValueError as error:
        raise ValueError(f'{error}; mmcico check lists all problems of a file') from error
    stats = dataset_stats(file)
    write_output(stats_text(stats), stats, args.json, sys.stdout)


if __name__ == '__main__':
    sys.exit(run_tool(main))
