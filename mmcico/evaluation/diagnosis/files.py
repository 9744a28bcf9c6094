"""The folder that a diagnosis is written to."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..vis_tables import GroundTruth, Tracks
from ..ytvis_eval import evaluate
from . import tables
from .breakdown import break_down
from .cases import read_cases
from .confusion import confusion_dict, confusion_matrix
from .frames import frame_figures
from .identities import identity_dict, video_identities
from .plots import draw_all, has_matplotlib

IOU_THR = 0.5


def diagnose(
    truth: GroundTruth,
    tracks: Tracks,
    metric: str = 'ytvis',
    score_thr: float = 0.3,
    with_frames: bool = True,
    long_videos: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Find out what a result loses AP by.

    Args:
        truth (GroundTruth): With annotations.
        tracks (Tracks): What ``read_results`` made of the predictions.
        metric (str): Of ``evaluate``.
        score_thr (float): Least score for the confusion of classes and
            for identities.
        with_frames (bool): Measure frames too, which is slow.
        long_videos (Sequence, optional): Of ``evaluate``.

    Returns:
        dict: ``metrics``, ``classes``, ``curves``, ``confusion``, ``errors``,
        ``identities`` and, if asked for, ``frames`` (with ``total`` and
        ``frames``).

    Raises:
        ValueError: If the metric is unknown.
    """
    names = [name for _, name in truth.categories]
    metrics = evaluate(truth, tracks, metric, long_videos=long_videos)
    breakdown = break_down(read_cases(truth, tracks), names)
    matrix, identities = confusion_matrix([], len(names)), {}
    for case in read_cases(truth, tracks):  # both need its overlaps
        matrix += confusion_matrix([case], len(names), score_thr, IOU_THR)
        identities[case.video.id] = video_identities(case, score_thr, IOU_THR)
    found = dict(
        metrics=metrics,
        classes=tables.class_rows(breakdown),
        curves=tables.curve_dict(breakdown),
        confusion=confusion_dict(matrix, names, score_thr, IOU_THR),
        errors=breakdown.as_dict(),
        identities=identity_dict(identities, score_thr, IOU_THR),
    )
    if with_frames:
        found['frames'] = frame_figures(truth, tracks)._asdict()
    return found


def write_diagnosis(folder: str | Path, found: dict[str, Any]) -> str:
    """Write JSON and CSV files, and figures if matplotlib is installed.

    Args:
        folder (str | Path): Made if need be.
        found (dict): Of ``diagnose``.

    Returns:
        str: What was written, or why there are no figures, in a sentence.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        text = json.dumps(content, indent=1)
        (folder / f'{name}.json').write_text(text + '\n', encoding='utf-8')
    write_csv(folder / 'classes.csv', found['classes'])
    write_csv(folder / 'curves.csv', tables.curve_rows(found['curves']))
    write_csv(folder / 'confusion.csv', tables.confusion_rows(found['confusion']))
    write_csv(folder / 'errors.csv', tables.error_rows(found['errors']))
    if 'frames' in found:
        write_csv(folder / 'frames.csv', found['frames']['frames'])
    if not has_matplotlib():
        return (
            f'{folder}: tables; no figures, because matplotlib is not '
            'installed (pip install matplotlib)'
        )
    drawn = draw_all(folder, found['errors'], found['curves'], found['confusion'])
    return f'{folder}: tables, {", ".join(drawn)}'


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows with the keys of the first one as head; None is empty."""
    writer: csv.DictWriter | None = None
    with path.open('w', encoding='utf-8', newline='') as file:
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow(row)
