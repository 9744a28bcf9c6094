"""Say what to mend in a results file.

    python tools/analysis_tools/analyze_results.py GT.json RESULTS.json \\
        --out analysis

Writes tables of classes, curves, confusion, kinds of errors, identities and
frames. Runs from any folder and needs numpy, scipy and pycocotools only;
figures also matplotlib.
It ends with 0, with 1 and a message if a file cannot be used, with 2 if the
command line is wrong.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / 'dataset_tools'))
from pure_import import pure_import

patient_output = pure_import('utils.patient_output').patient_output


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ground_truth', help='annotations in the layout of YouTube-VIS')
    parser.add_argument('results', help='results.json of a test')
    parser.add_argument('--out', required=True, help='folder for the files, made if need be')
    parser.add_argument(
        '--metric',
        choices=['ytvis', 'ovis', 'ytvis2022'],
        default='ytvis',
        help='for metrics.json, as in tools/eval.py (default: ytvis)',
    )
    parser.add_argument('--long-videos', help='for metrics.json, as in tools/eval.py')
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='least score for the confusion of classes and for identity switches (default: 0.3)',
    )
    parser.add_argument(
        '--no-frames',
        action='store_true',
        help='leave out the AP of frames, which takes the longest',
    )
    args = parser.parse_args(argv)
    if args.long_videos and args.metric != 'ytvis2022':
        parser.error('--long-videos goes with --metric ytvis2022')
    return args


@patient_output()
def main(argv: list[str] | None = None) -> int:
    """Read both files, write the folder, print what to mend."""
    args = parse_args(argv)
    evaluation = pure_import('evaluation')
    diagnosis = pure_import('evaluation.diagnosis')
    try:
        truth = evaluation.read_ground_truth(args.ground_truth)
        if not truth.has_annotations:
            raise ValueError(
                f'{args.ground_truth} has no annotations, so there is nothing '
                'to compare with; use a file with annotations, such as a '
                'part of the training set that was held back'
            )
        tracks = evaluation.read_results(args.results, truth)
        chosen = args.long_videos and evaluation.long_video_ids(args.long_videos)
        found = diagnosis.diagnose(
            truth, tracks, args.metric, args.score_thr, not args.no_frames, chosen
        )
        written = diagnosis.write_diagnosis(args.out, found)
    except (ValueError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    frames = found.get('frames')
    print(
        diagnosis.format_summary(found['errors'], frames and frames['total'], found['identities'])
    )
    print(f'\n{written}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
