"""Analyse which kinds of errors cost AP in a results file.

    python tools/analysis_tools/analyze_results.py GT.json RESULTS.json \\
        --out analysis

The tool writes tables of classes, curves, confusion, kinds of errors, identities and frames. It
runs in any folder and needs only NumPy, SciPy and pycocotools; plots also need matplotlib. The exit
code is 0, 1 with a message if a file cannot be used, or 2 if the command line is wrong.
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico import evaluation
from mmcico.evaluation import diagnosis
from mmcico.formats.problems import Problems
from mmcico.utils.tool import add_crowds, run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('ground_truth', help='annotations in the layout of YouTube-VIS or CocoVID')
    parser.add_argument('results', help='results.json of a test')
    parser.add_argument('--out', required=True, help='folder for the files, created if necessary')
    evaluation.add_metric_arguments(parser)
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='lowest score for the confusion of classes and identity switches (default: 0.3)',
    )
    parser.add_argument(
        '--no-frames',
        action='store_true',
        help='skip the AP of single frames, which takes the longest',
    )
    add_crowds(parser)
    args = parser.parse_args(argv)
    evaluation.check_metric_arguments(parser, args)
    return args


def main(argv: Sequence[str]) -> None:
    """Write the tables and print a summary."""
    args = parse_args(argv)
    truth = evaluation.read_annotated(args.ground_truth, args.crowds_as_objects)
    problems = Problems(args.results)
    tracks = evaluation.read_results(args.results, truth, problems=problems)
    chosen = args.long_videos and evaluation.long_video_ids(args.long_videos)
    found = diagnosis.diagnose(
        truth, tracks, args.metric, args.score_thr, not args.no_frames, chosen
    )
    for warning in (*truth.warnings(args.metric), *(each.text() for each in problems.found)):
        print(f'warning: {warning}', file=sys.stderr)
    frames = found.get('frames')
    print(
        diagnosis.format_summary(found['errors'], frames and frames['total'], found['identities'])
    )
    # last, since it may fail and the measurement takes long
    print(f'\n{diagnosis.write_diagnosis(args.out, found)}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
