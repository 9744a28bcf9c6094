"""Tracking metrics of masks (HOTA, IDF1, MOTA and others), computed by TrackEval.

TrackEval (https://github.com/JonathonLuiten/TrackEval) is an optional package: ``pip install
mmcico[tracking]``. The figures equal those of its reader of YouTube-VIS files: classes are measured
one by one, tracks of all scores count, and crowds are ordinary objects.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmcico.utils.tool import align_rows

from .figures import percent
from .ground_truth import GroundTruth, Track, Tracks
from .matching import intersections, stack_areas

#: figure -> metric and field of TrackEval
FIGURES = dict(
    HOTA=('HOTA', 'HOTA'),
    DetA=('HOTA', 'DetA'),
    AssA=('HOTA', 'AssA'),
    LocA=('HOTA', 'LocA'),
    IDF1=('Identity', 'IDF1'),
    MOTA=('CLEAR', 'MOTA'),
    IDSW=('CLEAR', 'IDSW'),
)
ALL, MEAN = 'all', 'mean'


def require_trackeval() -> dict[str, Any]:
    """Return the metrics of TrackEval by name.

    Raises:
        ImportError: If TrackEval is not installed.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it reports missing optional packages
            from trackeval import metrics
    except ImportError as error:
        raise ImportError(
            f'tracking metrics need the package trackeval ({error}); install it with pip install '
            '"mmcico[tracking]", or beside opencv-python-headless with pip install --no-deps '
            'trackeval'
        ) from error
    quiet = dict(PRINT_CONFIG=False)
    return dict(HOTA=metrics.HOTA(), CLEAR=metrics.CLEAR(quiet), Identity=metrics.Identity(quiet))


def tracking_figures(
    truth: GroundTruth, tracks: Tracks, score_thr: float | None = None
) -> dict[str, dict[str, float]]:
    """Compute the tracking metrics of all videos.

    Args:
        truth (GroundTruth): Ground truth with annotations.
        tracks (Tracks): Predictions.
        score_thr (float, optional): Smallest score of a track; all tracks count if left out.

    Returns:
        dict: Class -> figures: ``HOTA``, ``DetA``, ``AssA``, ``LocA``, ``IDF1`` and ``MOTA`` (1 is
        perfect), and ``IDSW``, the number of identity switches. ``all`` sums detections over the
        classes, ``mean`` is the mean over the classes.

    Raises:
        ImportError: If TrackEval is not installed.
    """
    metrics = require_trackeval()
    # metric -> class -> what TrackEval says
    found: dict[str, dict[str, Any]] = {key: {} for key in metrics}
    for label, (_, name) in enumerate(truth.categories):
        data = []
        for index, video in enumerate(truth.videos):
            chosen = tracks.get((index, label), [])
            if score_thr is not None:
                chosen = [each for each in chosen if each.score >= score_thr]
            objects = truth.tracks.get((index, label), [])
            data.append(_sequence(objects, chosen, video.size, video.length))
        for key, metric in metrics.items():
            videos = {str(i): metric.eval_sequence(each) for i, each in enumerate(data)}
            found[key][name] = metric.combine_sequences(videos)
    for key, metric in metrics.items():
        over_all = metric.combine_classes_det_averaged(found[key])
        mean = metric.combine_classes_class_averaged(found[key])
        found[key].update({ALL: over_all, MEAN: mean})
    # the figures of HOTA are means over its thresholds
    return {
        name: {
            figure: float(np.mean(found[key][name][of])) for figure, (key, of) in FIGURES.items()
        }
        for name in [*(name for _, name in truth.categories), ALL, MEAN]
    }


def _sequence(
    objects: Sequence[Track], tracks: Sequence[Track], size: tuple[int, int], length: int
) -> dict[str, Any]:
    """Return one video and class in the form that TrackEval measures."""
    areas = [stack_areas(each, length) for each in (objects, tracks)]
    # TrackEval expects ids without gaps, so tracks without any mask are left out
    kept = [each.any(axis=1) for each in areas]
    ids = [np.cumsum(each) - 1 for each in kept]
    common = intersections(objects, tracks, size)
    data: dict[str, Any] = dict(
        num_timesteps=length,
        num_gt_ids=int(kept[0].sum()),
        num_tracker_ids=int(kept[1].sum()),
        num_gt_dets=int((areas[0] > 0).sum()),
        num_tracker_dets=int((areas[1] > 0).sum()),
        gt_ids=[],
        tracker_ids=[],
        similarity_scores=[],
    )
    for frame in range(length):
        rows, cols = (np.flatnonzero(each[:, frame]) for each in areas)
        union = areas[0][rows, frame, None] + areas[1][cols, frame]
        inter = common[frame][np.ix_(rows, cols)] if len(common) else np.zeros(union.shape)
        data['gt_ids'].append(ids[0][rows])
        data['tracker_ids'].append(ids[1][cols])
        data['similarity_scores'].append(inter / (union - inter))
    return data


def format_tracking(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Format tracking metrics as a table.

    Args:
        figures (Mapping): Figures from ``tracking_figures``.

    Returns:
        str: A line for each class, in percent; ``IDSW`` is a number.
    """
    rows = [['%', *FIGURES]]
    for name, each in figures.items():
        cells = [f'{each[key]:g}' if key == 'IDSW' else percent(each[key]) for key in FIGURES]
        rows.append([name, *cells])
    return '\n'.join(align_rows(rows))
