"""Overlap of tracks and their assignment, one video and class at a time."""

from typing import NamedTuple

import numpy as np
from pycocotools import mask as mask_utils

from .rle import Size, compress_runs
from .tracks import Track

MAX_TRACKS = 100  # of a video and class; others are not looked at
IOU_THRS = np.linspace(0.5, 0.95, 10)


class Group(NamedTuple):
    """Ground truth that a figure is about; both ends are inclusive."""

    name: str
    areas: tuple[float, float] = (0.0, 1e10)
    occlusion: tuple[float, float] = (0.0, 1.0)


class Matches(NamedTuple):
    """What became of the predictions of one video and class.

    Attributes:
        scores (np.ndarray): (D,) falling.
        found (np.ndarray): (A, T, D) bool, has an object, for each group and
            IoU threshold.
        ignored (np.ndarray): (A, T, D) bool, neither right nor wrong.
        objects (np.ndarray): (A,) number of objects that should be found.
    """

    scores: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    objects: np.ndarray


def video_iou(first: list[Track], second: list[Track], size: Size) -> np.ndarray:
    """IoU over space and time: sum of intersections over sum of unions.

    Args:
        first (list[Track]): D tracks.
        second (list[Track]): G tracks of the same video.
        size (tuple[int, int]): Height and width of the video.

    Returns:
        np.ndarray: (D, G), 0 for two empty tracks.
    """
    if not first or not second:
        return np.zeros((len(first), len(second)))
    areas = np.stack([track.areas for track in first])
    others = np.stack([track.areas for track in second])
    frames = np.flatnonzero(areas.any(axis=0) & others.any(axis=0))
    shares = np.zeros((len(frames), len(first), len(second)))
    codes, other_codes = _codes(first, size), _codes(second, size)
    inside = [1] * len(second)
    for place, frame in enumerate(frames):
        shares[place] = mask_utils.iou(codes[frame], other_codes[frame], inside)
    # against a crowd pycocotools gives the share of the first mask
    inter = np.rint(shares * areas.T[frames][..., None]).sum(axis=0)
    union = areas.sum(1)[:, None] + others.sum(1)[None] - inter
    return inter / np.maximum(union, 1)


def _codes(tracks: list[Track], size: Size) -> list[list[dict]]:
    """Masks of all tracks in each frame, as pycocotools wants them."""
    height, width = size
    empty = dict(size=size, counts=compress_runs([height * width], size))
    rows = [
        [empty if text is None else {'size': size, 'counts': text} for text in track.masks]
        for track in tracks
    ]
    return [list(column) for column in zip(*rows)]


def best_pairs(iou: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Pair rows and columns one to one, with the largest sum of IoU.

    Args:
        iou (np.ndarray): (D, G).
        least (float): Pairs that overlap less are none.

    Returns:
        list[tuple[int, int]]: Row and column of each pair, rows rising.
    """
    # data set tools import this module and need no SciPy
    from scipy.optimize import linear_sum_assignment

    gain = np.where(iou >= least, iou, 0.0)
    rows, cols = linear_sum_assignment(gain, maximize=True)
    return [(row, col) for row, col in zip(rows.tolist(), cols.tolist()) if gain[row, col] > 0]


def assign(
    iou: np.ndarray, crowd: np.ndarray, ignored: np.ndarray, iou_thrs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give each prediction, best first, the free object it overlaps most.

    An object that counts goes before one that does not; of equal ones the
    last is taken. A crowd can be taken again and again.

    Args:
        iou (np.ndarray): (D, G), predictions by falling score.
        crowd (np.ndarray): (G,) bool.
        ignored (np.ndarray): (A, G) bool, does not count in this group.
        iou_thrs (np.ndarray): (T,).

    Returns:
        tuple[np.ndarray, np.ndarray]: (A, T, D) bool, whether a prediction
        got an object, and whether that is an ignored one.
    """
    (num, num_objects), groups = iou.shape, len(ignored)
    found = np.zeros((groups, len(iou_thrs), num), bool)
    on_ignored = np.zeros_like(found)
    free = np.ones((groups, len(iou_thrs), num_objects), bool)
    counts = ~ignored[:, None]
    thrs = np.minimum(iou_thrs, 1 - 1e-10)[:, None]
    for row in np.flatnonzero((iou >= thrs.min()).any(axis=1)):
        near = free & (iou[row] >= thrs)
        regular = near & counts
        has_regular = regular.any(axis=-1)
        wanted = np.where(has_regular[..., None], regular, near)
        overlap = np.where(wanted, iou[row], -1.0)
        best = num_objects - 1 - overlap[..., ::-1].argmax(axis=-1)
        hit = wanted.any(axis=-1)
        found[..., row] = hit
        on_ignored[..., row] = hit & ~has_regular
        group, thr = np.nonzero(hit)
        free[group, thr, best[hit]] = crowd[best[hit]]
    return found, on_ignored


def match_tracks(
    predictions: list[Track], objects: list[Track], size: Size, groups: list[Group]
) -> Matches:
    """Match the predictions of one video and class for all groups.

    Args:
        predictions (list[Track]): In the order of the file, which decides
            between equal scores.
        objects (list[Track]): Ground truth.
        size (tuple[int, int]): Height and width of the video.
        groups (list[Group]): A groups.

    Returns:
        Matches: Of the best 100 predictions.
    """
    scores = np.array([track.score for track in predictions])
    order = np.argsort(-scores, kind='stable')[:MAX_TRACKS]
    predictions = [predictions[i] for i in order]
    crowd = np.array([track.crowd for track in objects], bool)
    areas = np.array([track.mean_area for track in objects])
    hidden = np.array([track.occlusion for track in objects])
    ignored = crowd | _outside(areas, [g.areas for g in groups])
    ignored |= _outside(hidden, [g.occlusion for g in groups])
    found, skip = assign(video_iou(predictions, objects, size), crowd, ignored, IOU_THRS)
    areas = np.array([track.mean_area for track in predictions])
    # occlusion does not excuse a wrong prediction: nobody knows its own
    skip |= ~found & _outside(areas, [g.areas for g in groups])[:, None]
    return Matches(scores[order], found, skip, (~ignored).sum(axis=1))


def _outside(values: np.ndarray, ranges: list[tuple[float, float]]) -> np.ndarray:
    """(N,) values and A ranges -> (A, N) bool."""
    low, high = np.array(ranges).T[:, :, None]
    return (values < low) | (values > high)
