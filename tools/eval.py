"""Measure a results file: ``python tools/eval.py GT.json RESULTS.json``.

Runs from any folder and needs numpy and pycocotools only. It ends with 0, with
1 and a message if a file cannot be used, with 2 if the command line is wrong.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent / 'dataset_tools'))
from pure_import import pure_import

patient_output = pure_import('utils.patient_output').patient_output


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description='Measure results of video instance segmentation')
    parser.add_argument('ground_truth', help='annotations in the layout of YouTube-VIS, or CocoVID')
    parser.add_argument('results', help='results.json of a test')
    parser.add_argument(
        '--metric',
        choices=['ytvis', 'ovis', 'ytvis2022'],
        default='ytvis',
        help='ovis adds figures by occlusion; ytvis2022 measures short and '
        'long videos on their own',
    )
    parser.add_argument(
        '--long-videos',
        help='for ytvis2022: JSON list of the ids of the long videos, or '
        'their ground truth alone; without, they are told by their frames',
    )
    parser.add_argument(
        '--processes',
        type=int,
        default=min(2, os.cpu_count() or 1),
        help='that share the videos (default: %(default)s)',
    )
    parser.add_argument('--out', help='JSON file for the figures')
    args = parser.parse_args()
    if args.long_videos and args.metric != 'ytvis2022':
        parser.error('--long-videos goes with --metric ytvis2022')
    if args.processes < 1:
        parser.error(f'--processes {args.processes}: choose 1 or more')
    return args


def warn(metric: str, truth: Any) -> None:
    """Say what the figures rest on."""
    if metric == 'ovis' and truth.without_occlusion:
        print(
            f'warning: {truth.without_occlusion} annotations have no field '
            'occlusion; they count as not occluded',
            file=sys.stderr,
        )


def save(evaluation: Any, metrics: dict[str, Any], path: str) -> int:
    """Write the figures, which are printed before: they took long."""
    try:
        evaluation.save_metrics(path, metrics)
    except OSError as error:
        print(f'error: {path} cannot be written: {error.strerror}', file=sys.stderr)
        return 1
    return 0


@patient_output()
def main() -> int:
    """Read both files, print the table, write the figures."""
    args = parse_args()
    evaluation = pure_import('evaluation')
    try:
        chosen = args.long_videos and evaluation.long_video_ids(args.long_videos)
        metrics, truth = evaluation.measure_files(
            args.ground_truth, args.results, args.metric, chosen, args.processes
        )
    except (ValueError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    warn(args.metric, truth)
    if args.metric == 'ytvis2022' and chosen is None:
        number = sum(video.is_long for video in truth.videos)
        print(f'{number} of {len(truth.videos)} videos are long, as their frames show\n')
    print(evaluation.format_table(metrics))
    return save(evaluation, metrics, args.out) if args.out else 0


if __name__ == '__main__':
    sys.exit(main())
