"""Diagnosis of a result: its figures, the folder that they are written to, and a summary."""

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.utils.files import write_whole
from mmcico.utils.tool import align_rows

from ..figures import RECALL_THRS, percent
from ..ground_truth import GroundTruth, Tracks
from ..ytvis_eval import evaluate
from .breakdown import BASE, Breakdown, break_down, class_ap
from .cases import Case, read_cases
from .errors import KINDS, confusion_matrix
from .frames import frame_figures
from .identities import count_switches, identity_dict, visible_pairs
from .plots import draw_all, has_matplotlib

IOU_THR = 0.5
#: name -> IoU thresholds of a curve, which is the mean over them
CURVE_LEVELS = {'0.50': slice(0, 1), '0.75': slice(5, 6), '0.50:0.95': slice(None)}
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


def diagnose(
    truth: GroundTruth,
    tracks: Tracks,
    metric: str = 'ytvis',
    score_thr: float = 0.3,
    with_frames: bool = True,
    long_videos: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Find out which kinds of errors cost AP.

    Args:
        truth (GroundTruth): Ground truth with annotations.
        tracks (Tracks): Predictions, from ``read_results``.
        metric (str): See ``evaluate``.
        score_thr (float): Smallest score for the confusion of classes and for identities.
        with_frames (bool): Whether to measure single frames too, which is slow.
        long_videos (Sequence, optional): See ``evaluate``.

    Returns:
        dict: ``metrics``, ``classes``, ``curves``, ``confusion``, ``errors``, ``identities`` and,
        with ``with_frames``, ``frames`` (with ``total`` and ``frames``).

    Raises:
        ValueError: If the metric is unknown.
    """
    names = [name for _, name in truth.categories]
    metrics = evaluate(truth, tracks, metric, long_videos=long_videos)
    matrix = np.zeros((len(names) + 2, len(names) + 1), np.int64)
    identities = {}

    def counted() -> Iterator[Case]:
        for case in read_cases(truth, tracks):
            np.add(matrix, confusion_matrix(case, len(names), score_thr, IOU_THR), out=matrix)
            identities[case.video.id] = count_switches(visible_pairs(case, score_thr), IOU_THR)
            yield case  # which keeps its overlaps

    breakdown = break_down(counted(), names)
    thresholds = dict(score_thr=score_thr, iou_thr=IOU_THR)
    found = dict(
        metrics=metrics,
        classes=class_rows(breakdown),
        curves=curve_dict(breakdown),
        confusion=dict(
            thresholds,
            rows=[*names, 'duplicate', 'background'],
            columns=[*names, 'missed'],
            matrix=matrix.tolist(),
        ),
        errors=breakdown.as_dict(),
        identities=dict(thresholds, **identity_dict(identities)),
    )
    if with_frames:
        found['frames'] = frame_figures(truth, tracks)._asdict()
    return found


def class_rows(breakdown: Breakdown) -> list[dict[str, Any]]:
    """Return a row of figures for each class.

    It has ``class``, ``AP``, ``AP50``, ``AP75``, ``AR100`` (None without objects), and the counts
    at IoU 0.5.
    """
    rows = []
    for index, name in enumerate(breakdown.names):
        curves = breakdown.curves[BASE][index]
        row = {
            'class': name,
            'AP': class_ap(curves),
            'AP50': class_ap(curves, CURVE_LEVELS['0.50']),
            'AP75': class_ap(curves, CURVE_LEVELS['0.75']),
            'AR100': None if curves is None else float(curves.recall.mean()),
        }
        row.update({kind: int(number[index]) for kind, number in breakdown.counts.items()})
        rows.append(row)
    return rows


def curve_dict(breakdown: Breakdown) -> dict[str, Any]:
    """Return precision over recall, 101 values, of each class with objects and IoU threshold."""
    precision = {
        name: {
            label: curves.precision[levels].mean(axis=0).tolist()
            for label, levels in CURVE_LEVELS.items()
        }
        for name, curves in zip(breakdown.names, breakdown.curves[BASE])
        if curves is not None
    }
    return dict(recall=RECALL_THRS.tolist(), precision=precision)


def _curve_rows(curves: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each point of each curve of ``curve_dict``."""
    return [
        {'class': name, 'iou': level, 'recall': round(recall, 2), 'precision': precision}
        for name, levels in curves['precision'].items()
        for level, values in levels.items()
        for recall, precision in zip(curves['recall'], values)
    ]


def write_diagnosis(folder: str | Path, found: dict[str, Any]) -> str:
    """Write JSON and CSV files, and plots if matplotlib is installed.

    Args:
        folder (str | Path): Folder, which is created if necessary.
        found (dict): Result of ``diagnose``.

    Returns:
        str: A sentence that names what was written, or why there are no plots.
    """
    folder = Path(folder)
    for name, content in found.items():
        write_whole(folder / f'{name}.json', json.dumps(content, indent=1) + '\n')
    errors, confusion = found['errors'], found['confusion']
    oracles = [
        dict(perfect=name, **{key: each[key] for key in each if key != 'AP_per_class'})
        for name, each in errors['oracles'].items()
    ]
    tables = dict(
        classes=with_header(found['classes']),
        curves=with_header(_curve_rows(found['curves'])),
        confusion=confusion_rows(confusion),
        errors=with_header(oracles),
    )
    if 'frames' in found:
        tables['frames'] = with_header(found['frames']['frames'])
    for name, rows in tables.items():
        write_csv(folder / f'{name}.csv', rows)
    if not has_matplotlib():
        return (
            f'{folder}: tables; no plots, because matplotlib is not '
            'installed (pip install matplotlib)'
        )
    drawn = draw_all(folder, errors, found['curves'], confusion)
    return f'{folder}: tables, {", ".join(drawn)}'


def with_header(rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """Return the values of rows below the keys of the first one."""
    return [[*row] for row in rows[:1]] + [[*row.values()] for row in rows]


def confusion_rows(confusion: dict[str, Any]) -> list[list[Any]]:
    """Return the matrix of the confusion of ``diagnose`` with its names.

    A class may be called "object" or "missed", as columns that are no classes are.
    """
    body = zip(confusion['rows'], confusion['matrix'])
    return [['object', *confusion['columns']], *([name, *row] for name, row in body)]


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to a CSV file; None is empty."""
    text = io.StringIO(newline='')
    csv.writer(text, lineterminator='\n').writerows(rows)
    write_whole(path, text.getvalue())


def format_summary(
    errors: Mapping[str, Any],
    frames: Mapping[str, Any] | None = None,
    identities: Mapping[str, Any] | None = None,
) -> str:
    """Format the table of oracles, counts of errors and identities, frame figures and advice.

    Args:
        errors (Mapping): Result of ``Breakdown.as_dict``.
        frames (Mapping, optional): ``FrameFigures.total``.
        identities (Mapping, optional): ``identities`` of ``diagnose``.

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
