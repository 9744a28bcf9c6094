"""Measure a results file: ``python tools/eval.py GT.json RESULTS.json``.

The tool runs in any folder and needs only NumPy and pycocotools; ``--tracking`` also needs
TrackEval. The exit code is 0, 1 with a message if a file cannot be used, or 2 if the command line
is wrong.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from mmcico import evaluation
from mmcico.evaluation import tracking
from mmcico.formats.problems import Problems
from mmcico.utils.files import is_one_of
from mmcico.utils.tool import add_crowds, positive_int, run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser('Measure results of video instance segmentation')
    parser.add_argument('ground_truth', help='annotations in the layout of YouTube-VIS or CocoVID')
    parser.add_argument(
        'results', help='results.json of a test, a zip of it, or the folder of an interrupted test'
    )
    evaluation.add_metric_arguments(parser)
    parser.add_argument(
        '--tracking',
        action='store_true',
        help='add HOTA, DetA, AssA, LocA, IDF1, MOTA and identity switches, computed by TrackEval',
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        metavar='SCORE',
        help='lowest score of the tracks that --tracking counts (default: all tracks count)',
    )
    add_crowds(parser)
    parser.add_argument(
        '--processes',
        type=positive_int,
        default=min(2, os.cpu_count() or 1),
        help='number of processes that compare tracks (default: %(default)s)',
    )
    parser.add_argument('--out', help='JSON file for the figures')
    args = parser.parse_args(argv)
    evaluation.check_metric_arguments(parser, args)
    if args.score_thr is not None and not args.tracking:
        parser.error('--score-thr goes with --tracking')
    if args.out and is_one_of(args.out, (args.ground_truth, args.results)):
        parser.error(f'--out {args.out} is a file to be measured; give another name')
    return args


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], list[str], str]:
    """Return the figures, warnings and the text to print."""
    chosen = args.long_videos and evaluation.long_video_ids(args.long_videos)
    if args.tracking:
        tracking.require_trackeval()
    truth = evaluation.read_annotated(args.ground_truth, args.crowds_as_objects)
    problems = Problems(args.results)
    tracks = evaluation.read_results(args.results, truth, problems=problems)
    metrics = evaluation.evaluate(
        truth, tracks, args.metric, long_videos=chosen, processes=args.processes
    )
    text = evaluation.format_table(metrics)
    if args.metric == 'ytvis2022' and chosen is None:
        number = sum(map(evaluation.is_long, truth.videos))
        text = f'{number} of {len(truth.videos)} videos are long, by their frames\n\n' + text
    if args.tracking:
        metrics['tracking'] = tracking.tracking_figures(truth, tracks, args.score_thr)
        text += '\n\n' + tracking.format_tracking(metrics['tracking'])
    warnings = [*truth.warnings(args.metric), *(each.text() for each in problems.found)]
    return metrics, warnings, text


def main(argv: Sequence[str]) -> int:
    """Measure the results, write the figures and print a table."""
    args = parse_args(argv)
    metrics, warnings, text = measure(args)
    failed = ''
    if args.out:
        try:
            evaluation.save_metrics(args.out, metrics)
        except (OSError, ValueError) as error:  # the figures are still printed
            failed = str(error)
    for warning in warnings:
        print(f'warning: {warning}', file=sys.stderr)
    print(text)
    if failed:
        print(f'error: {failed}', file=sys.stderr)
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(run_tool(main))
