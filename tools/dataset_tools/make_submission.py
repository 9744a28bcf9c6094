"""Check results and zip them in the form that evaluation servers expect.

    python tools/dataset_tools/make_submission.py work_dirs/x/results.json \
        --ann data/youtube_vis_2021/valid/instances.json --out submission.zip

The tool writes nothing if a server would refuse the file. It needs no OpenMMLab package.
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico.evaluation import submission
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('results', help='results.json, or a zip of it')
    parser.add_argument('--ann', required=True, help='annotation JSON of the same videos')
    parser.add_argument('--out', required=True, help='zip to write')
    parser.add_argument(
        '--fix',
        action='store_true',
        help='correct and report problems that do not change the results: counts as text, tracks '
        'without any mask, more than 100 tracks of a video and class',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Check, correct and write the results; return 1 if nothing was written."""
    args = parse_args(argv)
    truth = submission.read_server_side(args.ann)
    # problems of the zip itself do not matter, because the tool writes a new one
    tracks, problems = submission.read_submission(args.results)
    if args.fix and isinstance(tracks, list):
        tracks, said = submission.fix_tracks(tracks, truth)
        for line in said:
            print(f'fixed: {line}')
    if tracks is not None:
        problems = submission.check_tracks(tracks, truth, args.results)
    for line in submission.problem_lines(problems.found):
        print(line)
    if problems.num_errors:
        fixable = sum(each.fixable and each.level == 'error' for each in problems.found)
        hint = f', --fix corrects {fixable} of them' if fixable and not args.fix else ''
        print(f'nothing written: {problems.num_errors} errors{hint}')
        return 1
    size = submission.write_submission(args.out, tracks)
    again, left = submission.read_submission(args.out)
    if left.found or again != tracks:
        raise OSError(f'{args.out} does not hold what was written; is the disk full?')
    print(f'{args.out}: {len(tracks)} tracks, {size / 2**20:.1f} MiB')
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
