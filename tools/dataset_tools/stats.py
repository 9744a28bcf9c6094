"""Numbers of an annotation file of YouTube-VIS, OVIS or CocoVID.

    python tools/dataset_tools/stats.py data/train.json --json stats.json

Needs numpy and pycocotools only.
"""

import argparse
import sys
from collections.abc import Sequence

from pure_import import pure_import

from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument(
        '--json',
        nargs='?',
        const='-',
        metavar='FILE',
        help='write the numbers as JSON to a file, or instead of the tables',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Count, print, and say by the exit code whether all is well."""
    args = parse_args(argv)
    files = pure_import('datasets.annotation_files')
    dataset_stats = pure_import('analysis.stats').dataset_stats
    stats_text = pure_import('analysis.stats_text').stats_text
    write_output = pure_import('analysis.output').write_output
    try:
        stats = dataset_stats(files.read_annotations(args.annotations))
        write_output(stats_text(stats), stats, args.json, sys.stdout)
    except OSError as error:
        print(f'stats: {error}', file=sys.stderr)
        return 1
    except ValueError as error:
        print(
            f'stats: {error}; tools/dataset_tools/check_dataset.py lists '
            'all that is wrong in a file',
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
