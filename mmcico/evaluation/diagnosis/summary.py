"""What to mend, in a few lines."""

import textwrap
from typing import Any

from ..report import align_rows
from .breakdown import BASE
from .errors import KINDS

#: a smaller gain of AP is not worth a line
LEAST_GAIN = 0.01
WIDTH = 100
ADVICE = dict(
    classification='tracks have the wrong class: see confusion.csv; the '
    'class loss, more training clips of the confused classes',
    association='ids change or tracks break: the weights, threshold and '
    'memory of ClipTracker, more overlap of clips, the track loss',
    segmentation='the masks are poor: the input size, prototypes, the crop and the mask loss',
    coverage='tracks lack frames that no other track has, or go on when '
    'their object is gone: the score threshold of clips, hidden objects in '
    'the training clips',
    duplicates='objects are found more than once: ClipNMS, and ClipTracker '
    'where a lost track begins anew',
    background='tracks show no object at all: a higher score threshold, '
    'harder negatives in the class loss',
    misses='objects are never seen: a lower score threshold, anchors and '
    'input size for small objects, longer training',
)


def _percent(value: float | None, sign: bool = False) -> str:
    if value is None:
        return '-'
    percent = round(100 * value, 1) + 0.0  # no -0.0
    return f'{percent:+.1f}' if sign else f'{percent:.1f}'


def format_summary(
    errors: dict[str, Any],
    frames: dict[str, Any] | None = None,
    identities: dict[str, Any] | None = None,
) -> str:
    """Table of oracles, identities, frame figures and advice.

    Args:
        errors (dict): Of ``Breakdown.as_dict``.
        frames (dict, optional): ``FrameFigures.total``.
        identities (dict, optional): Of ``identity_dict``.

    Returns:
        str: Several lines.
    """
    rows = [['if this were perfect', 'AP', 'gain', 'AP50', 'AP75']]
    for name, each in errors['oracles'].items():
        gain = '' if name == BASE else _percent(each['gain'], sign=True)
        rows.append(
            [
                f'({name})' if name == BASE else name,
                _percent(each['AP']),
                gain,
                _percent(each['AP50']),
                _percent(each['AP75']),
            ]
        )
    lines = align_rows(rows) + ['']
    lines += count_lines(errors['counts']) + ['']
    if identities is not None:
        lines += identity_lines(identities) + ['']
    if frames is not None:
        lines += [
            f'each frame an image: box AP {_percent(frames["box"]["AP"])}, '
            f'mask AP {_percent(frames["mask"]["AP"])}',
            '',
        ]
    return '\n'.join(lines + what_to_mend(errors))


def count_lines(counts: dict[str, int]) -> list[str]:
    """What predictions and objects are at IoU 0.5."""
    kinds = [f'{counts[kind]} {kind}' for kind in KINDS if counts[kind]]
    objects = (
        f'objects at IoU 0.5: {counts["objects"]}, of these '
        f'{counts["found"]} found, {counts["missed"]} missed'
    )
    return _wrap('predictions at IoU 0.5: ' + (', '.join(kinds) or 'none')) + [objects]


def identity_lines(identities: dict[str, Any]) -> list[str]:
    """How often objects change their track."""
    return _wrap(
        f'tracks of score {identities["score_thr"]:g} and more find '
        f'{identities["found"]} of {identities["objects"]} objects x frames; '
        f'{identities["switches"]} identity switches, '
        f'{identities["fragments"]} gaps'
    )


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent='  ')


def what_to_mend(errors: dict[str, Any]) -> list[str]:
    """Lines of advice, the largest gain first."""
    oracles = errors['oracles']
    if oracles[BASE]['AP'] is None:
        return ['there are no objects to be found, so nothing is measured']
    gains = {name: each['gain'] for name, each in oracles.items() if each['gain'] >= LEAST_GAIN}
    if not gains:
        return [
            'what to mend: no single kind of error costs '
            f'{100 * LEAST_GAIN:.0f} point of AP or more'
        ]
    lines = ['what to mend, the most costly first:']
    for name in sorted(gains, key=lambda each: -gains[each]):
        lines += _wrap(f'- {name} ({_percent(gains[name], sign=True)}): {ADVICE[name]}')
    return lines
