"""Identity switches of the tracks that a user would see."""
from typing import Any, Dict, Iterable, Iterator

import numpy as np

from ..id_switches import Counts, FrameIoU, count_switches
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


def identity_counts(cases: Iterable[Case], score_thr: float,
                    iou_thr: float) -> Dict[str, Any]:
    """Count switches and fragments over all videos, classes aside.

    Args:
        cases (Iterable[Case]): The videos.
        score_thr (float): Least score of a track.
        iou_thr (float): Least mask IoU with an object it finds.

    Returns:
        dict: Both thresholds, the fields of ``Counts``, and ``videos``: the
        same of each video that has switches or fragments.
    """
    total, videos = Counts(), []
    for case in cases:
        counts = count_switches(visible_pairs(case, score_thr), iou_thr)
        total = total.plus(counts)
        if counts.switches or counts.fragments:
            videos.append(dict(video_id=case.video.id, **counts._asdict()))
    return dict(
        score_thr=score_thr,
        iou_thr=iou_thr,
        **total._asdict(),
        videos=videos)
