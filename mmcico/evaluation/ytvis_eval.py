"""Average precision and recall as YouTube-VIS and OVIS define them.

A prediction is right when its IoU over the whole video with an object of its
class reaches a threshold. The figures are those of the official tools
(youtubevos/cocoapi, qjy981010/cocoapi), counted in another way: objects are
tracked by position, so that an id may be 0, and masks are not decoded.
"""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from .matching import IOU_THRS, MAX_TRACKS, Group, Matches, match_tracks
from .vis_json import GroundTruth, Tracks

RECALL_THRS = np.linspace(0., 1., 101)
ALL = Group('')
SIZES = (Group('s', areas=(0., 128.**2)), Group('m', areas=(128.**2, 256.**2)),
         Group('l', areas=(256.**2, 1e10)))
OCCLUSIONS = (Group('_light', occlusion=(0., .25)),
              Group('_medium',
                    occlusion=(.25, .5)), Group('_heavy', occlusion=(.5, 1.)))
GROUPS = dict(ytvis=(ALL, ) + SIZES, ovis=(ALL, ) + SIZES + OCCLUSIONS)
FEW = (1, 10)  # AR1 and AR10: only the best of each video and class

Metrics = Dict[str, Any]


class Curves(NamedTuple):
    """Figures of one class: (T, 101) precision and (T,) recall."""
    precision: np.ndarray
    recall: np.ndarray


def evaluate(truth: GroundTruth,
             tracks: Tracks,
             metric: str = 'ytvis',
             video_ids: Optional[Sequence[Any]] = None) -> Metrics:
    """Measure predicted tracks.

    Args:
        truth (GroundTruth): With annotations.
        tracks (Tracks): What ``read_results`` made of the predictions.
        metric (str): ``'ytvis'``, or ``'ovis'`` for figures by occlusion too.
        video_ids (Sequence, optional): Look at these videos only.

    Returns:
        dict: ``AP``, ``AP50``, ``AP75``, ``APs``, ``APm``, ``APl``, ``AR1``,
        ``AR10``, ``AR100``, ``ARs``, ``ARm``, ``ARl`` and with ``'ovis'``
        ``AP_light``, ..., ``AR_heavy``: float in 0..1, None where there is
        no ground truth; ``AP_per_class``: the same for each class name.

    Raises:
        ValueError: If the metric or a video is unknown.
    """
    if metric not in GROUPS:
        raise ValueError(f'metric is {metric!r}; known are '
                         f'{", ".join(GROUPS)}')
    groups = list(GROUPS[metric])
    videos = _positions(truth, video_ids)
    tables: Dict[str, List[Optional[Curves]]] = {}
    for category in range(len(truth.categories)):
        matches = _class_matches(truth, tracks, category, videos, groups)
        for index, group in enumerate(groups):
            tables.setdefault(group.name, []).append(
                class_curves(matches, index, MAX_TRACKS))
        for number in FEW:
            tables.setdefault(str(number),
                              []).append(class_curves(matches, 0, number))
    return _summarize(tables, groups, [each[1] for each in truth.categories])


def _positions(truth: GroundTruth,
               video_ids: Optional[Sequence[Any]]) -> List[int]:
    """Positions of the videos to look at."""
    if video_ids is None:
        return list(range(len(truth.videos)))
    unknown = [i for i in video_ids if str(i) not in truth.video_index]
    if unknown:
        raise ValueError(f'{truth.name} has no video {unknown[0]!r}')
    return sorted({truth.video_index[str(i)] for i in video_ids})


def _class_matches(truth: GroundTruth, tracks: Tracks, category: int,
                   videos: List[int], groups: List[Group]) -> List[Matches]:
    """Matches of one class in each video where there is any of it."""
    places = [(video, category) for video in videos]
    return [
        match_tracks(
            tracks.get(place, []), truth.tracks.get(place, []),
            truth.videos[place[0]].size, groups) for place in places
        if place in tracks or place in truth.tracks
    ]


def class_curves(matches: List[Matches], group: int,
                 number: int) -> Optional[Curves]:
    """Precision over recall of one class and group.

    Args:
        matches (list[Matches]): Of the videos.
        group (int): Position of the group.
        number (int): Look at this many predictions of each video.

    Returns:
        Curves | None: None if there is no object to be found.
    """
    objects = sum(int(each.objects[group]) for each in matches)
    if objects == 0:
        return None
    scores = np.concatenate([each.scores[:number] for each in matches])
    order = np.argsort(-scores, kind='stable')
    found = np.concatenate([each.found[group, :, :number] for each in matches],
                           axis=1)[:, order]
    counts = ~np.concatenate(
        [each.ignored[group, :, :number]
         for each in matches], axis=1)[:, order]
    right = np.cumsum(found & counts, axis=1)
    wrong = np.cumsum(~found & counts, axis=1)
    recall = right / objects
    # the official tools' guard against 0 / 0, kept for equal last digits
    precision = right / (right + wrong + np.spacing(1))
    # precision at a recall is the best at this or any higher recall
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    sampled = np.zeros((len(IOU_THRS), len(RECALL_THRS)))
    for row, points in enumerate(recall):
        at = np.searchsorted(points, RECALL_THRS, side='left')
        reached = at < len(points)
        sampled[row, reached] = precision[row, at[reached]]
    last = recall[:, -1] if len(order) else np.zeros(len(IOU_THRS))
    return Curves(sampled, last)


def _mean(parts: List[np.ndarray]) -> Optional[float]:
    return float(np.mean(parts)) if parts else None


def _summarize(tables: Dict[str, List[Optional[Curves]]], groups: List[Group],
               names: List[str]) -> Metrics:
    """Means over the classes that have objects."""
    known = {
        table: [curves for curves in each if curves is not None]
        for table, each in tables.items()
    }
    precision = [curves.precision for curves in known['']]
    metrics: Metrics = dict(
        AP=_mean(precision),
        AP50=_mean([each[0] for each in precision]),
        AP75=_mean([each[5] for each in precision]))
    parts = {group.name: group.name for group in groups[1:]}
    for part in parts:
        metrics[f'AP{part}'] = _mean([c.precision for c in known[part]])
    labels = {**{str(n): str(n) for n in FEW}, '': str(MAX_TRACKS), **parts}
    for table, label in labels.items():
        metrics[f'AR{label}'] = _mean([c.recall for c in known[table]])
    metrics['AP_per_class'] = {
        name: curves and _mean([curves.precision])
        for name, curves in zip(names, tables[''])
    }
    return metrics
