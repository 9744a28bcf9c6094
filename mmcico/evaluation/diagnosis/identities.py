"""Identity switches of the tracks that a user would see."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..id_switches import Counts, FrameIoU, count_switches
from ..tracks import Id
from .cases import Case


def visible_pairs(case: Case, score_thr: float) -> Iterator[FrameIoU]:
    """Objects and tracks of each frame of a video, and their IoU.

    Args:
        case (Case): The video. Crowds are left out.
        score_thr (float): Least score of a track.

    Yields:
        tuple: What ``count_switches`` wants of a frame.
    """
    tracks = np.flatnonzero(case.scores >= score_thr)
    objects = np.flatnonzero(~case.crowd)
    for frame in range(case.video.length):
        rows = objects[case.object_areas[objects, frame] > 0]
        cols = tracks[case.areas[tracks, frame] > 0]
        iou = case.frame_iou[:, :, frame][np.ix_(cols, rows)].T
        yield rows.tolist(), cols.tolist(), iou


def video_identities(case: Case, score_thr: float, iou_thr: float) -> Counts:
    """Count switches and fragments of a video, classes aside.

    Args:
        case (Case): The video.
        score_thr (float): Least score of a track.
        iou_thr (float): Least mask IoU with an object it finds.

    Returns:
        Counts: Of the video.
    """
    return count_switches(visible_pairs(case, score_thr), iou_thr)


def identity_dict(videos: dict[Id, Counts], score_thr: float, iou_thr: float) -> dict[str, Any]:
    """All counts with their settings, for a file.

    Args:
        videos (dict): Id of a video -> its counts.
        score_thr (float): See :func:`video_identities`.
        iou_thr (float): Likewise.

    Returns:
        dict: Both thresholds, the sums of the fields of ``Counts``, and
        ``videos``: the same of each video that has switches or fragments.
    """
    total = Counts()
    for counts in videos.values():
        total = total.plus(counts)
    return dict(
        score_thr=score_thr,
        iou_thr=iou_thr,
        **total._asdict(),
        videos=[
            dict(video_id=video, **counts._asdict())
            for video, counts in videos.items()
            if counts.switches or counts.fragments
        ],
    )
