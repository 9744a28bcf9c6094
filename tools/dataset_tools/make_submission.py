"""Check results and zip them as evaluation servers want it.

    python tools/dataset_tools/make_submission.py work_dirs/x/results.json \
        --ann data/youtube_vis_2021/valid/instances.json --out submission.zip

Writes nothing if a server would refuse it. Needs no OpenMMLab package.
"""

import argparse
import sys
from collections.abc import Sequence

from pure_import import pure_import

patient_output = pure_import('utils.patient_output').patient_output
submission = pure_import('evaluation.submission')
checks = pure_import('evaluation.submission_checks')
fixes = pure_import('evaluation.submission_fixes')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('results', help='results.json, or a zip of it')
    parser.add_argument('--ann', required=True, help='annotation JSON of the same videos')
    parser.add_argument('--out', required=True, help='zip to write')
    parser.add_argument(
        '--fix',
        action='store_true',
        help='mend what is harmless: counts as text, tracks without any '
        'mask, more than 100 tracks of a video and class; each is told',
    )
    return parser.parse_args(argv)


@patient_output()
def main(argv: Sequence[str] | None = None) -> int:
    """Check, mend if wanted, write; 1 if nothing was written."""
    args = parse_args(argv)
    truth = submission.read_server_side(args.ann)
    # what is wrong with a zip given as results is not handed on
    tracks, broken = submission.read_submission(args.results)
    if args.fix and isinstance(tracks, list):
        tracks, said = fixes.fix_tracks(tracks, truth)
        for line in said:
            print(f'fixed: {line}')
    defects = list(checks.check_tracks(tracks, truth, args.results))
    defects = broken if tracks is None and broken else defects
    for defect in defects:
        print(defect)
    errors = sum(defect.is_error for defect in defects)
    if errors:
        fixable = sum(d.fixable and d.is_error for d in defects)
        print(
            f'nothing written: {errors} errors'
            + (f', {fixable} of them can be mended by --fix' if fixable and not args.fix else '')
        )
        return 1
    size = submission.write_submission(args.out, tracks)
    again, left = submission.read_submission(args.out)
    if left or again != tracks:
        raise OSError(f'{args.out} does not hold what was written; is the disk full?')
    print(f'{args.out}: {len(tracks)} tracks, {size / 2**20:.1f} MiB')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        sys.exit(f'make_submission: {error}')
