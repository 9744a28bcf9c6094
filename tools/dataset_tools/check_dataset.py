"""List every problem of an annotation file of YouTube-VIS, OVIS or CocoVID.

    python tools/dataset_tools/check_dataset.py data/train.json \\
        --images data/train/JPEGImages

The exit code is 0 if the file has no errors, 1 if it has, and 2 if the command line is wrong. The
tool needs only NumPy and pycocotools; --images also needs Pillow.
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico.analysis.check_file import check_file
from mmcico.utils.tool import add_json, run_tool, tool_parser, write_output


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument('--images', help='folder of the frames; their sizes are then checked, too')
    parser.add_argument(
        '--classes-of',
        metavar='FILE',
        help='annotation file that must have the same classes, such as that for training',
    )
    parser.add_argument(
        '--box-tolerance',
        type=float,
        default=1,
        metavar='PIXELS',
        help='allowed distance between a side of a box and that of its mask (default: 1; one more '
        'for polygons)',
    )
    add_json(parser, 'the list', 'instead of the text')
    args = parser.parse_args(argv)
    if not args.box_tolerance >= 0:  # also refuses NaN
        parser.error(f'--box-tolerance {args.box_tolerance}: choose 0 or more')
    return args


def main(argv: Sequence[str]) -> int:
    """Print all problems; return 1 if there is an error."""
    args = parse_args(argv)
    problems = check_file(args.annotations, args.images, args.box_tolerance, args.classes_of)
    lines = [problem.line() for problem in problems.found]
    text = '\n'.join(lines + [problems.summary_text()]).lstrip('\n')
    write_output(text, problems.as_dict(), args.json, sys.stdout)
    return 1 if problems.num_errors else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
