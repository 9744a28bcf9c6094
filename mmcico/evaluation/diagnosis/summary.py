"""Summary of a diagnosis and advice, as plain text."""

import textwrap
from collections.abc import Mapping
from typing import Any

from mmcico.utils.tool import align_rows

from ..figures import percent
from .breakdown import BASE
from .errors import KINDS

#: gains of AP below this get no advice
LEAST_GAIN = 0.01
WIDTH = 100
ADVICE = dict(
    classification='tracks have the wrong class; see confusion.csv, and try another class loss or '
    'more training clips of the confused classes',
    association='ids change or tracks break; try other weights, threshold and memory of '
    'ClipTracker, more overlap of clips, or another weight of the track loss',
    segmentation='masks are inaccurate; try a larger input size, more prototypes, or other '
    'settings of the crop and the mask loss',
    coverage='tracks have gaps that no other track fills, or continue after their object has '
    'left; try another score threshold of clips, or training clips with hidden objects',
    duplicates='objects are found more than once; check ClipNMS, and whether ClipTracker starts '
    'lost tracks anew',
    background='tracks show no object at all; try a higher score threshold, or harder negatives '
    'in the class loss',
    misses='objects are never found; try a lower score threshold, anchors and an input size for '
    'small objects, or longer training',
)


def format_summary(
    errors: Mapping[str, Any],
    frames: Mapping[str, Any] | None = None,
    identities: Mapping[str, Any] | None = None,
) -> str:
    """Format the table of oracles, counts of errors and identities, frame figures and advice.

    Args:
        errors (Mapping): Result of ``Breakdown.as_dict``.
        frames (Mapping, optional): ``FrameFigures.total``.
        identities (Mapping, optional): Result of ``identity_dict``.

    Returns:
        str: Several lines.
    """
    rows = [['if this were perfect', 'AP', 'gain', 'AP50', 'AP75']]
    for name, each in errors['oracles'].items():
        gain = '' if name == BASE else percent(each['gain'], sign=True)
        label = f'({name})' if name == BASE else name
        rows.append(
            [label, percent(each['AP']), gain, percent(each['AP50']), percent(each['AP75'])]
        )
    lines = [*align_rows(rows), '', *_count_lines(errors['counts']), '']
    if identities is not None:
        lines += [*_identity_lines(identities), '']
    if frames is not None:
        lines += [
            f'each frame as an image: box AP {percent(frames["box"]["AP"])}, '
            f'mask AP {percent(frames["mask"]["AP"])}',
            '',
        ]
    return '\n'.join(lines + what_to_mend(errors))


def _count_lines(counts: Mapping[str, int]) -> list[str]:
    """Return the numbers of predictions and objects of each kind."""
    kinds = [f'{counts[kind]} {kind}' for kind in KINDS if counts[kind]]
    objects = (
        f'objects at IoU 0.5: {counts["objects"]}, of these '
        f'{counts["found"]} found, {counts["missed"]} missed'
    )
    return [*_wrap('predictions at IoU 0.5: ' + (', '.join(kinds) or 'none')), objects]


def _identity_lines(identities: Mapping[str, Any]) -> list[str]:
    """Return how many objects are found and how often their track changes."""
    return _wrap(
        f'tracks with a score of at least {identities["score_thr"]:g} find {identities["found"]} '
        f'of {identities["objects"]} objects x frames; {identities["switches"]} identity switches, '
        f'{identities["fragments"]} gaps'
    )


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent='  ')


def what_to_mend(errors: Mapping[str, Any]) -> list[str]:
    """Return lines of advice, the largest gain first."""
    oracles = errors['oracles']
    if oracles[BASE]['AP'] is None:
        return ['there are no objects to be found, so nothing is measured']
    gains = {name: each['gain'] for name, each in oracles.items() if each['gain'] >= LEAST_GAIN}
    if not gains:
        return [f'no single kind of error costs {100 * LEAST_GAIN:.0f} point of AP or more']
    lines = ['what to improve, the largest gain first:']
    for name in sorted(gains, key=lambda each: -gains[each]):
        lines += _wrap(f'- {name} ({percent(gains[name], sign=True)}): {ADVICE[name]}')
    return lines
