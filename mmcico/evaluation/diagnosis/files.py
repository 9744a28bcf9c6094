"""Diagnosis of a result, and the folder that it is written to."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.utils.files import write_whole

from ..figures import RECALL_THRS
from ..ground_truth import GroundTruth, Tracks
from ..ytvis_eval import evaluate
from .breakdown import BASE, Breakdown, break_down, class_ap
from .cases import read_cases
from .errors import confusion_dict, confusion_matrix
from .frames import frame_figures
from .identities import count_switches, identity_dict, visible_pairs
from .plots import draw_all, has_matplotlib

IOU_THR = 0.5
#: name -> index of the IoU threshold of a curve; None is the mean over all ten
CURVE_LEVELS = {'0.50': 0, '0.75': 5, '0.50:0.95': None}


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
    breakdown = break_down(read_cases(truth, tracks), names)
    matrix = np.zeros((len(names) + 2, len(names) + 1), np.int64)
    identities = {}
    for case in read_cases(truth, tracks):
        matrix += confusion_matrix(case, len(names), score_thr, IOU_THR)
        identities[case.video.id] = count_switches(visible_pairs(case, score_thr), IOU_THR)
    found = dict(
        metrics=metrics,
        classes=class_rows(breakdown),
        curves=curve_dict(breakdown),
        confusion=confusion_dict(matrix, names, score_thr, IOU_THR),
        errors=breakdown.as_dict(),
        identities=identity_dict(identities, score_thr, IOU_THR),
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
            'AP50': class_ap(curves, 0),
            'AP75': class_ap(curves, 5),
            'AR100': None if curves is None else float(curves.recall.mean()),
        }
        row.update({kind: int(number[index]) for kind, number in breakdown.counts.items()})
        rows.append(row)
    return rows


def curve_dict(breakdown: Breakdown) -> dict[str, Any]:
    """Return precision over recall, 101 values, of each class with objects and IoU threshold."""
    precision = {
        name: {
            label: (
                curves.precision.mean(axis=0) if level is None else curves.precision[level]
            ).tolist()
            for label, level in CURVE_LEVELS.items()
        }
        for name, curves in zip(breakdown.names, breakdown.curves[BASE])
        if curves is not None
    }
    return dict(recall=RECALL_THRS.tolist(), precision=precision)


def _curve_rows(curves: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one row for each point of each curve of ``curve_dict``."""
    for name, levels in curves['precision'].items():
        for level, values in levels.items():
            for recall, precision in zip(curves['recall'], values):
                yield {
                    'class': name,
                    'iou': level,
                    'recall': round(recall, 2),
                    'precision': precision,
                }


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
    write_csv(folder / 'classes.csv', found['classes'])
    write_csv(folder / 'curves.csv', _curve_rows(found['curves']))
    write_confusion(folder / 'confusion.csv', confusion)
    write_csv(
        folder / 'errors.csv',
        [
            dict(perfect=name, **{key: each[key] for key in each if key != 'AP_per_class'})
            for name, each in errors['oracles'].items()
        ],
    )
    if 'frames' in found:
        write_csv(folder / 'frames.csv', found['frames']['frames'])
    if not has_matplotlib():
        return (
            f'{folder}: tables; no plots, because matplotlib is not '
            'installed (pip install matplotlib)'
        )
    drawn = draw_all(folder, errors, found['curves'], confusion)
    return f'{folder}: tables, {", ".join(drawn)}'


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows to a CSV file, with the keys of the first row as header; None is empty."""
    text = io.StringIO(newline='')
    writer: csv.DictWriter | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator='\n')
            writer.writeheader()
        writer.writerow(row)
    write_whole(path, text.getvalue())


def write_confusion(path: Path, confusion: dict[str, Any]) -> None:
    """Write the matrix of ``confusion_dict`` to a CSV file.

    A class may be called "object" or "missed", as columns that are no classes are.
    """
    text = io.StringIO(newline='')
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['object', *confusion['columns']])
    writer.writerows([name, *row] for name, row in zip(confusion['rows'], confusion['matrix']))
    write_whole(path, text.getvalue())
