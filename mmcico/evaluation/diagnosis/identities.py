"""Identity switches, counted as CLEAR MOT does (Bernardin and Stiefelhagen, 2008).

In each frame an object keeps the track that found it last, as long as the two still overlap. The
other objects and tracks are then paired so that the sum of overlaps is largest. A switch is an
object that is found by another track than the last time, however long ago that was.

These counts need NumPy and SciPy alone, and any IoU of frames. ``mmcico.evaluation.tracking``
computes the metrics of TrackEval for files of results.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..matching import best_pairs
from .cases import Case

#: objects, tracks and their (G, P) mask IoU in a frame
FrameIoU = tuple[Sequence[int], Sequence[int], np.ndarray]


class Counts(NamedTuple):
    """Sums over the frames of one or more videos.

    Attributes:
        objects (int): Objects to be found.
        found (int): Objects that a track overlaps.
        false (int): Masks of tracks that overlap no object.
        switches (int): Objects found by another track than the last time.
        fragments (int): Objects found again after visible frames in which they were not found.
    """

    objects: int = 0
    found: int = 0
    false: int = 0
    switches: int = 0
    fragments: int = 0

    @classmethod
    def total(cls, parts: Iterable['Counts']) -> 'Counts':
        """Return the sums of all."""
        return cls(*map(sum, zip(*parts)))


def pair_up(
    objects: Sequence[int],
    tracks: Sequence[int],
    iou: np.ndarray,
    last: dict[int, int],
    min_iou: float,
) -> dict[int, int]:
    """Pair the objects of a frame, by their G ids, with the tracks that find them, by their P ids.

    ``iou`` is (G, P), and ``min_iou`` the smallest of a pair; ``last`` maps an object to the track
    that found it last, the most recent at the end.
    """
    rows = {each: i for i, each in enumerate(objects)}
    cols = {each: i for i, each in enumerate(tracks)}
    pairs: dict[int, int] = {}
    for each, track in reversed(last.items()):
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
    """Count identity switches and related events of one video.

    Each frame, in order, has the ids of the G visible objects, the ids of the P tracks with a mask,
    and their (G, P) IoU. A track finds an object at an IoU of at least ``min_iou``.
    """
    last: dict[int, int] = {}
    lost: dict[int, bool] = {}
    counts = []
    for objects, tracks, iou in frames:
        iou = np.asarray(iou, float).reshape(len(objects), len(tracks))
        pairs = pair_up(objects, tracks, iou, last, min_iou)
        switches = sum(last.get(each, track) != track for each, track in pairs.items())
        fragments = sum(lost.get(each, False) for each in pairs)
        counts.append(
            Counts(len(objects), len(pairs), len(tracks) - len(pairs), switches, fragments)
        )
        for each in objects:
            lost[each] = each in last and each not in pairs
        for each, track in pairs.items():
            last.pop(each, None)  # move to the end: the most recent
            last[each] = track
    return Counts.total(counts)


def visible_pairs(case: Case, score_thr: float) -> Iterator[FrameIoU]:
    """Iterate over the frames of a video as ``count_switches`` expects them.

    Crowds are left out, and so are tracks with a score below ``score_thr``.
    """
    tracks = np.flatnonzero(case.scores >= score_thr)
    objects = np.flatnonzero(~case.crowd)
    for frame in range(case.video.length):
        rows = objects[case.object_areas[objects, frame] > 0]
        cols = tracks[case.areas[tracks, frame] > 0]
        iou = case.frame_iou[:, :, frame][np.ix_(cols, rows)].T
        yield rows.tolist(), cols.tolist(), iou


def identity_dict(videos: Mapping[Any, Counts]) -> dict[str, Any]:
    """Return the sums of all counts, and videos with switches or fragments."""
    return dict(
        **Counts.total(videos.values())._asdict(),
        videos=[
            dict(video_id=video, **counts._asdict())
            for video, counts in videos.items()
            if counts.switches or counts.fragments
        ],
    )
