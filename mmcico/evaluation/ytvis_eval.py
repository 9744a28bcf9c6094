"""Average precision and recall as YouTube-VIS and OVIS define them.

A prediction is right when its IoU over the whole video with an object of its
class reaches a threshold. The figures are those of the official tools
(youtubevos/cocoapi, qjy981010/cocoapi), counted in another way: objects are
tracked by position, so that an id may be 0, and masks are not decoded.
"""
from functools import partial
from typing import Any, Dict, List, Optional, Sequence

from mmcico.datasets.fields import id_key
from .figures import (GROUPS, Curves, Metrics, class_curves, short_and_long,
                      summarize)
from .matching import Group, Matches, match_tracks
from .vis_entries import Entries, annotated, predicted, read_tracks
from .vis_tables import GroundTruth, Place, Tracks
from .workers import in_processes

__all__ = ['GROUPS', 'Curves', 'class_curves', 'evaluate', 'evaluate_entries']


def evaluate(truth: GroundTruth,
             tracks: Tracks,
             metric: str = 'ytvis',
             video_ids: Optional[Sequence[Any]] = None,
             long_videos: Optional[Sequence[Any]] = None) -> Metrics:
    """Measure predicted tracks.

    Args:
        truth (GroundTruth): With annotations.
        tracks (Tracks): What ``read_results`` made of the predictions.
        metric (str): ``'ytvis'``; ``'ovis'`` for figures by occlusion too;
            ``'ytvis2022'`` for short and long videos on their own.
        video_ids (Sequence, optional): Look at these videos only.
        long_videos (Sequence, optional): Ids of the long videos, for
            ``'ytvis2022'``. Without it they are told by their frames.

    Returns:
        dict: ``AP``, ``AP50``, ``AP75``, ``APs``, ``APm``, ``APl``, ``AR1``,
        ``AR10``, ``AR100``, ``ARs``, ``ARm``, ``ARl`` and with ``'ovis'``
        ``AP_light``, ..., ``AR_heavy``: float in 0..1, None where there is
        no ground truth; ``AP_per_class``: the same for each class, in the
        order of the category ids, and ``classes``, their names. With
        ``'ytvis2022'`` ``mAP``, the mean of ``mAP_short`` and ``mAP_long``,
        and the other figures with ``_short`` or ``_long`` at their end.

    Raises:
        ValueError: If the metric or a video is unknown, or one kind of
            videos of ``'ytvis2022'`` is absent.
    """
    groups = _groups(metric)
    videos = _positions(truth, video_ids)
    wanted = set(videos)
    sides = [{
        place: side[place]
        for place in side if place[0] in wanted
    } for side in (tracks, truth.tracks)]
    matches = _match(truth, *sides, groups)
    return _figures(truth, matches, videos, metric, long_videos)


def evaluate_entries(truth: GroundTruth,
                     annotations: Entries,
                     predictions: Entries,
                     metric: str = 'ytvis',
                     long_videos: Optional[Sequence[Any]] = None,
                     processes: int = 1) -> Metrics:
    """Measure files whose masks are read one video at a time.

    Args:
        truth (GroundTruth): Videos and categories.
        annotations (Entries): Of ``open_ground_truth``.
        predictions (Entries): Of ``open_results``.
        metric (str): As in ``evaluate``.
        long_videos (Sequence, optional): As in ``evaluate``.
        processes (int): Share the videos among so many processes, where the
            system can fork.

    Returns:
        dict: As ``evaluate`` says.

    Raises:
        ValueError: As ``evaluate``, or if an annotation or a prediction is
            wrong.
    """
    work = partial(_match_videos, truth, annotations, predictions,
                   _groups(metric))
    matches: Dict[Place, Matches] = {}
    for part in in_processes(work, sorted({*annotations, *predictions}),
                             processes):
        matches.update(part)
    return _figures(truth, matches, range(len(truth.videos)), metric,
                    long_videos)


def _groups(metric: str) -> List[Group]:
    if metric not in GROUPS:
        raise ValueError(f'metric is {metric!r}; known are '
                         f'{", ".join(GROUPS)}')
    return list(GROUPS[metric])


def _positions(truth: GroundTruth,
               video_ids: Optional[Sequence[Any]]) -> List[int]:
    """Positions of the videos to look at."""
    if video_ids is None:
        return list(range(len(truth.videos)))
    unknown = [i for i in video_ids if id_key(i) not in truth.video_index]
    if unknown:
        raise ValueError(f'{truth.name} has no video {unknown[0]!r}')
    return sorted({truth.video_index[id_key(i)] for i in video_ids})


def _match(truth: GroundTruth, predictions: Tracks, objects: Tracks,
           groups: List[Group]) -> Dict[Place, Matches]:
    """Matches of each video and class of which there is any track."""
    return {
        place:
        match_tracks(
            predictions.get(place, []), objects.get(place, []),
            truth.videos[place[0]].size, groups)
        for place in {
            **predictions,
            **objects
        }
    }


def _match_videos(truth: GroundTruth, annotations: Entries,
                  predictions: Entries, groups: List[Group],
                  videos: Sequence[int]) -> Dict[Place, Matches]:
    """Read and match some videos, one after the other."""
    matches: Dict[Place, Matches] = {}
    for video in videos:
        objects = read_tracks(truth, annotations, video, annotated)
        tracks = read_tracks(truth, predictions, video, predicted)
        matches.update(_match(truth, tracks, objects, groups))
    return matches


def _figures(truth: GroundTruth, matches: Dict[Place,
                                               Matches], videos: Sequence[int],
             metric: str, long_videos: Optional[Sequence[Any]]) -> Metrics:
    """Figures over some videos, as the metric wants them."""
    names, groups = [each[1] for each in truth.categories], _groups(metric)
    if metric != 'ytvis2022':
        return summarize(matches, videos, names, groups)
    if long_videos is None:
        chosen = {i for i in videos if truth.videos[i].is_long}
    else:
        chosen = set(_positions(truth, long_videos))
    kinds = [[i for i in videos if i not in chosen],
             [i for i in videos if i in chosen]]
    for kind, found in zip(('short', 'long'), kinds):
        if not found:
            raise ValueError(
                f'{truth.name} has no {kind} videos, which ytvis2022 needs; '
                'name the long ones by long_videos (--long-videos), or use '
                'the metric ytvis')
    return short_and_long(*(summarize(matches, each, names, groups)
                            for each in kinds))
