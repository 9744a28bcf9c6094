"""List everything that an evaluation server would refuse in a submission.

    python tools/dataset_tools/check_submission.py submission.zip \
        --ann data/youtube_vis_2021/valid/instances.json

Ends with 1 if there is an error. Needs no OpenMMLab package.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pure_import import pure_import

patient_output = pure_import('utils.patient_output').patient_output
submission = pure_import('evaluation.submission')
write_json = pure_import('analysis.output').write_json


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('submission', help='results.json, or a zip of it')
    parser.add_argument('--ann', required=True, help='annotation JSON of the same videos')
    parser.add_argument('--json', help='file for the defects as JSON')
    return parser.parse_args(argv)


def summary(defects: list[Any]) -> str:
    """Errors and warnings by their kind."""
    lines = []
    for level, wanted in (('errors', True), ('warnings', False)):
        kinds = Counter(d.kind for d in defects if d.is_error is wanted)
        text = ', '.join(f'{kind} {n}' for kind, n in kinds.most_common())
        lines.append(f'{sum(kinds.values())} {level}' + (text and f': {text}'))
    return '\n'.join(lines)


@patient_output()
def main(argv: Sequence[str] | None = None) -> int:
    """Print all defects; 1 if one of them is an error."""
    args = parse_args(argv)
    truth = submission.read_server_side(args.ann)
    defects = submission.check_submission(args.submission, truth)
    for defect in defects:
        print(defect)
    print(summary(defects))
    if args.json:
        write_json(args.json, [asdict(defect) for defect in defects])
    fixable = sum(d.fixable for d in defects)
    if fixable:
        print(f'{fixable} of these can be mended by make_submission.py --fix')
    return int(any(defect.is_error for defect in defects))


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        sys.exit(f'check_submission: {error}')
