"""List every defect of an annotation file of YouTube-VIS, OVIS or CocoVID.

    python tools/dataset_tools/check_dataset.py data/train.json \\
        --images data/train/JPEGImages

It ends with 0 if the file is sound, else with 1, with 2 if the command line is
wrong. Needs numpy and pycocotools only; --images also Pillow.
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
    parser.add_argument('--images', help='folder of the frames; check their sizes too')
    parser.add_argument(
        '--box-tolerance',
        type=float,
        default=1,
        metavar='PIXELS',
        help='that a side of a box may differ from that of its mask '
        '(default: 1; one more for polygons)',
    )
    parser.add_argument(
        '--json',
        nargs='?',
        const='-',
        metavar='FILE',
        help='write the list as JSON to a file, or instead of the text',
    )
    args = parser.parse_args(argv)
    if not args.box_tolerance >= 0:  # not a number neither
        parser.error(f'--box-tolerance {args.box_tolerance}: choose 0 or more')
    return args


def main(argv: Sequence[str]) -> int:
    """Check, print, and say by the exit code whether all is well."""
    args = parse_args(argv)
    check_file = pure_import('analysis.check_file').check_file
    write_output = pure_import('analysis.output').write_output
    try:
        report = check_file(args.annotations, args.images, args.box_tolerance)
        lines = [defect.text(report.file) for defect in report.defects]
        text = '\n'.join(lines + [report.summary_text()]).lstrip('\n')
        write_output(text, report.as_dict(), args.json, sys.stdout)
    except (ValueError, OSError) as error:
        print(f'check_dataset: {error}', file=sys.stderr)
        return 1
    return 1 if report.num_errors else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
