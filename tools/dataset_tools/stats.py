"""Print statistics of an annotation file of YouTube-VIS, OVIS or CocoVID.

    python tools/dataset_tools/stats.py data/train.json --json stats.json

The tool needs only NumPy and pycocotools.
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico.analysis.stats import dataset_stats, stats_text
from mmcico.formats.read import read_annotations
from mmcico.utils.tool import add_crowds, add_json, run_tool, tool_parser, write_output


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    add_json(parser, 'the numbers', 'without tables')
    add_crowds(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Print the statistics."""
    args = parse_args(argv)
    try:
        file = read_annotations(args.annotations, crowds_as_objects=args.crowds_as_objects)
    except ValueError as error:
        raise ValueError(f'{error}; mmcico check lists all problems of the file') from error
    stats = dataset_stats(file)
    write_output(stats_text(stats), stats, args.json, sys.stdout)


if __name__ == '__main__':
    sys.exit(run_tool(main))
