"""List all problems for which an evaluation server would refuse a submission.

    python tools/dataset_tools/check_submission.py submission.zip \
        --ann data/youtube_vis_2021/valid/instances.json

The exit code is 1 if there is an error. The tool needs no OpenMMLab package.
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico.evaluation import submission
from mmcico.formats.write import write_json
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('submission', help='results.json, or a zip of it')
    parser.add_argument('--ann', required=True, help='annotation JSON of the same videos')
    parser.add_argument('--json', help='JSON file for the problems')
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Print all problems; return 1 if there is an error."""
    args = parse_args(argv)
    truth = submission.read_server_side(args.ann)
    problems = submission.check_submission(args.submission, truth)
    if args.json:
        found = [dict(each.as_dict(), track=each.place.track) for each in problems.found]
        write_json(args.json, found, indent=1)
    for line in submission.problem_lines(problems.found):
        print(line)
    print(problems.summary_text())
    fixable = sum(each.fixable for each in problems.found)
    if fixable:
        print(f'make_submission.py --fix corrects {fixable} of these')
    return int(problems.num_errors > 0)


if __name__ == '__main__':
    sys.exit(run_tool(main))
