"""Identity switches, counted as CLEAR MOT does (Bernardin, 2008).

In each frame an object keeps the track that it was last found by, as long as
the two still overlap; the other objects and tracks are then paired for the
largest sum of overlaps. An object that is found by another track than the
last time is a switch, however long ago that was.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .matching import best_pairs

#: objects, tracks and their (G, P) mask IoU in a frame
FrameIoU = tuple[Sequence[int], Sequence[int], np.ndarray]


class Counts(NamedTuple):
    """Sums over the frames of one or more videos.

    Attributes:
        objects (int): Objects to be found.
        found (int): Objects that a track overlaps.
        false (int): Rows of tracks that overlap no object.
        switches (int): Objects found by another track than the last time.
        fragments (int): Objects found again after they were not found in
            frames that show them.
    """

    objects: int = 0
    found: int = 0
    false: int = 0
    switches: int = 0
    fragments: int = 0

    def plus(self, other: 'Counts') -> 'Counts':
        """Sums of both."""
        return Counts(*(a + b for a, b in zip(self, other)))


def pair_up(
    objects: Sequence[int],
    tracks: Sequence[int],
    iou: np.ndarray,
    last: dict[int, int],
    min_iou: float,
) -> dict[int, int]:
    """Objects of a frame and the tracks that find them.

    Args:
        objects (Sequence[int]): G ids.
        tracks (Sequence[int]): P ids.
        iou (np.ndarray): (G, P).
        last (dict[int, int]): Object -> track that found it last, the most
            recent ones at the end.
        min_iou (float): Overlap that is enough.

    Returns:
        dict[int, int]: Object -> track.
    """
    rows = {each: i for i, each in enumerate(objects)}
    cols = {each: i for i, each in enumerate(tracks)}
    pairs: dict[int, int] = {}
    for each, track in reversed(list(last.items())):
        near = each in rows and track in cols and iou[rows[each], cols[track]] >= min_iou
        if near and track not in pairs.values():
            pairs[each] = track
    left = [each for each in objects if each not in pairs]
    free = [each for each in tracks if each not in pairs.values()]
    rest = iou[np.ix_([rows[i] for i in left], [cols[i] for i in free])]
    for row, col in best_pairs(rest, min_iou):
        pairs[left[row]] = free[col]
    return pairs


def count_switches(frames: Iterable[FrameIoU], min_iou: float = 0.5) -> Counts:
    """Count what became of the objects of one video.

    Args:
        frames (Iterable): Of each frame, in order: ids of the G objects that
            it shows, ids of the P tracks drawn there, and their (G, P) IoU.
        min_iou (float): An object is found by a track that overlaps it at
            least as much.

    Returns:
        Counts: Of the video.
    """
    last: dict[int, int] = {}
    lost: dict[int, bool] = {}
    counts = Counts()
    for objects, tracks, iou in frames:
        iou = np.asarray(iou, float).reshape(len(objects), len(tracks))
        pairs = pair_up(objects, tracks, iou, last, min_iou)
        counts = counts.plus(
            Counts(
                objects=len(objects),
                found=len(pairs),
                false=len(tracks) - len(pairs),
                switches=sum(last.get(each, track) != track for each, track in pairs.items()),
                fragments=sum(lost.get(each, False) for each in pairs),
            )
        )
        for each in objects:
            lost[each] = each in last and each not in pairs
        for each, track in pairs.items():
            last.pop(each, None)  # to the end: the most recent
            last[each] = track
    return counts


def frame_iou(objects: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """IoU of all pairs of masks of one frame.

    Args:
        objects (np.ndarray): (G, H, W) bool.
        tracks (np.ndarray): (P, H, W) bool.

    Returns:
        np.ndarray: (G, P), 0 for two empty masks.
    """
    flat: list[np.ndarray] = [
        each.reshape(len(each), int(np.prod(each.shape[1:]))).astype(np.float32)
        for each in (objects, tracks)
    ]
    inter = flat[0] @ flat[1].T
    union = flat[0].sum(1)[:, None] + flat[1].sum(1)[None] - inter
    return inter / np.maximum(union, 1)
