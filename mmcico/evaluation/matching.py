"""Overlap of tracks and their assignment, one video and class at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pycocotools import mask as mask_utils

from .ground_truth import Track

MAX_TRACKS = 100  # of each video and class; worse-scored ones are not evaluated
IOU_THRS = np.linspace(0.5, 0.95, 10)


class Group(NamedTuple):
    """Range of ground-truth objects that a figure covers; both ends are inclusive."""

    name: str
    areas: tuple[float, float] = (0.0, 1e10)
    occlusion: tuple[float, float] = (0.0, 1.0)


class Matches(NamedTuple):
    """Outcome of matching the predictions of one video and class.

    Attributes:
        scores (np.ndarray): (D,) scores in descending order.
        found (np.ndarray): (A, T, D) bool, whether the prediction has an object, for each group
            and IoU threshold.
        ignored (np.ndarray): (A, T, D) bool, whether the prediction counts neither as right nor
            as wrong.
        objects (np.ndarray): (A,) number of objects to be found.
    """

    scores: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    objects: np.ndarray


def stack_areas(tracks: Sequence[Track], length: int) -> np.ndarray:
    """Return the (N, T) areas of N tracks."""
    return np.stack([track.areas for track in tracks]) if tracks else np.zeros((0, length))


def intersections(
    first: Sequence[Track], second: Sequence[Track], size: tuple[int, int]
) -> np.ndarray:
    """Count the pixels (T, D, G) that D and G tracks of a video have in common in each frame.

    Against a crowd, pycocotools returns the intersection over the area of the first mask. That
    share times the area is the intersection, exactly, as long as both are below 2 ** 52. T is 0 if
    a side has no tracks.
    """
    if not first or not second:
        return np.zeros((0, len(first), len(second)))
    areas, others = stack_areas(first, 0), stack_areas(second, 0)
    codes, other_codes = _codes(first, size), _codes(second, size)
    common = np.zeros((areas.shape[1], len(first), len(second)))
    for frame in np.flatnonzero(areas.any(axis=0) & others.any(axis=0)):
        rows, cols = areas[:, frame].nonzero()[0], others[:, frame].nonzero()[0]
        shares = mask_utils.iou(
            [codes[row][frame] for row in rows],
            [other_codes[col][frame] for col in cols],
            [1] * len(cols),
        )
        common[frame, rows[:, None], cols] = np.rint(shares * areas[rows, frame, None])
    return common


def _codes(tracks: Sequence[Track], size: tuple[int, int]) -> list[list[dict]]:
    """Return the masks of each track as pycocotools expects them."""
    return [[{'size': size, 'counts': text} for text in track.masks] for track in tracks]


def video_iou(first: Sequence[Track], second: Sequence[Track], size: tuple[int, int]) -> np.ndarray:
    """Compute the (D, G) IoU over space and time of tracks of a video, 0 for two empty ones.

    It is the sum of intersections over the sum of unions; ``size`` is height and width.
    """
    inter = intersections(first, second, size).sum(axis=0)
    areas = [stack_areas(each, 0).sum(axis=1) for each in (first, second)]
    return inter / np.maximum(areas[0][:, None] + areas[1] - inter, 1)


def best_pairs(iou: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Pair rows and columns one to one so that the sum of the (D, G) IoU is largest.

    Returns row and column of each pair with at least the ``least`` IoU, in the order of the rows.
    """
    # imported here because the other functions of this module do not need SciPy
    from scipy.optimize import linear_sum_assignment

    gain = np.where(iou >= least, iou, 0.0)
    rows, cols = linear_sum_assignment(gain, maximize=True)
    return [(row, col) for row, col in zip(rows.tolist(), cols.tolist()) if gain[row, col] > 0]


def assign(
    iou: np.ndarray, crowd: np.ndarray, ignored: np.ndarray, iou_thrs: np.ndarray = IOU_THRS
) -> np.ndarray:
    """Assign objects to predictions by the rules of COCO, at all thresholds at once.

    The prediction with the best score chooses first. It takes the free object that it overlaps most
    (the last of equal ones), and an ignored object only if no other one reaches the threshold. A
    crowd can be taken any number of times.

    Args:
        iou (np.ndarray): (D, G), predictions in descending order of their scores.
        crowd (np.ndarray): (G,) bool.
        ignored (np.ndarray): (A, G) bool, objects that a group does not count.
        iou_thrs (np.ndarray): (T,) thresholds.

    Returns:
        np.ndarray: (A, T, D) index of the object of each prediction, -1 for none.
    """
    (num, num_objects), groups = iou.shape, len(ignored)
    taken = np.full((groups, len(iou_thrs), num), -1)
    free = np.ones((groups, len(iou_thrs), num_objects), bool)
    counts = ~ignored[:, None]
    thrs = np.minimum(iou_thrs, 1 - 1e-10)[:, None]
    for row in np.flatnonzero((iou >= thrs.min()).any(axis=1)):
        near = free & (iou[row] >= thrs)
        regular = near & counts
        wanted = np.where(regular.any(axis=-1, keepdims=True), regular, near)
        overlap = np.where(wanted, iou[row], -1.0)
        best = num_objects - 1 - overlap[..., ::-1].argmax(axis=-1)
        group, thr = wanted.any(axis=-1).nonzero()
        chosen = best[group, thr]
        taken[group, thr, row] = chosen
        free[group, thr, chosen] = crowd[chosen]
    return taken


def match_tracks(
    predictions: Sequence[Track],
    objects: Sequence[Track],
    size: tuple[int, int],
    groups: Sequence[Group],
) -> Matches:
    """Match predictions and objects of one video and class, of a height and width, for A groups.

    Of equal scores, the first prediction ranks higher; the 100 with the best scores count.
    """
    scores = np.array([track.score for track in predictions])
    order = np.argsort(-scores, kind='stable')[:MAX_TRACKS]
    predictions = [predictions[i] for i in order]
    crowd = np.array([track.crowd for track in objects], bool)
    areas = np.array([track.mean_area for track in objects])
    hidden = np.array([track.occlusion for track in objects])
    ignored = crowd | _outside(areas, [g.areas for g in groups])
    ignored |= _outside(hidden, [g.occlusion for g in groups])
    taken = assign(video_iou(predictions, objects, size), crowd, ignored)
    found = taken >= 0
    skip = np.zeros_like(found)
    skip[found] = ignored[found.nonzero()[0], taken[found]]
    areas = np.array([track.mean_area for track in predictions])
    # occlusion does not excuse a wrong prediction, whose own occlusion is unknown
    skip |= ~found & _outside(areas, [g.areas for g in groups])[:, None]
    return Matches(scores[order], found, skip, (~ignored).sum(axis=1))


def _outside(values: np.ndarray, ranges: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return (A, N) bool, whether each of N values is outside each of A ranges."""
    low, high = np.array(ranges).T[:, :, None]
    return (values < low) | (values > high)
