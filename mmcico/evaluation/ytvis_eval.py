"""Average precision and recall as YouTube-VIS and OVIS define them.

A prediction is right when its IoU over the whole video with an object of its
class reaches a threshold. The figures are those of the official tools
(youtubevos/cocoapi, qjy981010/cocoapi), counted in another way: objects are
tracked by position, so that an id may be 0, and masks are not decoded.
"""

from collections.abc import Sequence
from typing import Any

from mmcico.datasets.fields import id_key

from .figures import GROUPS, Metrics, short_and_long, summarize
from .matching import Group, Matches, match_tracks
from .vis_tables import GroundTruth, Place, Tracks


def evaluate(
    truth: GroundTruth,
    tracks: Tracks,
    metric: str = 'ytvis',
    video_ids: Sequence[Any] | None = None,
    long_videos: Sequence[Any] | None = None,
) -> Metrics:
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
        ValueError: If the metric or a video is unknown, one kind of videos
            of ``'ytvis2022'`` is absent, or ``long_videos`` is given to
            another metric.
    """
    groups = groups_of(metric)
    check_long_videos(metric, long_videos)
    videos = _positions(truth, video_ids)
    wanted = set(videos)
    sides = [
        {place: side[place] for place in side if place[0] in wanted}
        for side in (tracks, truth.tracks)
    ]
    matches = match_places(truth, *sides, groups)
    return figures_of(truth, matches, videos, metric, long_videos)


def groups_of(metric: str) -> list[Group]:
    """Groups that a metric tells apart.

    Raises:
        ValueError: If it is unknown.
    """
    if metric not in GROUPS:
        raise ValueError(f'metric is {metric!r}; known are {", ".join(GROUPS)}')
    return list(GROUPS[metric])


def check_long_videos(metric: str, long_videos: Any) -> None:
    """Only one metric tells long videos apart.

    Args:
        metric (str): As in ``evaluate``.
        long_videos (Any): Ids or a file of them, None if not given.

    Raises:
        ValueError: If they are given to another metric.
    """
    if long_videos is not None and metric != 'ytvis2022':
        raise ValueError(
            'long_videos (--long-videos) goes with the metric ytvis2022, not '
            f'{metric}; set that metric or leave the long videos out'
        )


def _positions(
    truth: GroundTruth, video_ids: Sequence[Any] | None, field: str = 'video_ids'
) -> list[int]:
    """Positions of the videos to look at."""
    if video_ids is None:
        return list(range(len(truth.videos)))
    unknown = [i for i in video_ids if id_key(i) not in truth.video_index]
    if unknown:
        raise ValueError(f'{truth.name} has no video {unknown[0]!r}, which {field} names')
    return sorted({truth.video_index[id_key(i)] for i in video_ids})


def match_places(
    truth: GroundTruth, predictions: Tracks, objects: Tracks, groups: list[Group]
) -> dict[Place, Matches]:
    """Match within each video and class of which there is any track.

    Args:
        truth (GroundTruth): The videos.
        predictions (Tracks): Predicted tracks.
        objects (Tracks): Ground truth.
        groups (list[Group]): Groups of the metric.

    Returns:
        dict: Matches by video and category.
    """
    return {
        place: match_tracks(
            predictions.get(place, []), objects.get(place, []), truth.videos[place[0]].size, groups
        )
        for place in {**predictions, **objects}
    }


def figures_of(
    truth: GroundTruth,
    matches: dict[Place, Matches],
    videos: Sequence[int],
    metric: str,
    long_videos: Sequence[Any] | None,
) -> Metrics:
    """Figures over some videos, as the metric wants them.

    Args:
        truth (GroundTruth): Videos and categories.
        matches (dict): By video and category.
        videos (Sequence[int]): Positions, in order.
        metric (str): As in ``evaluate``.
        long_videos (Sequence, optional): As in ``evaluate``.

    Returns:
        dict: As ``evaluate`` says.

    Raises:
        ValueError: If a kind of videos is absent.
    """

    def over(chosen: Sequence[int]) -> Metrics:
        by_class = {
            name: [matches[video, index] for video in chosen if (video, index) in matches]
            for index, (_, name) in enumerate(truth.categories)
        }
        return summarize(by_class, groups_of(metric))

    if metric != 'ytvis2022':
        return over(videos)
    if long_videos is None:
        chosen = {i for i in videos if truth.videos[i].is_long}
    else:
        chosen = set(_positions(truth, long_videos, 'long_videos'))
    kinds = [[i for i in videos if i not in chosen], [i for i in videos if i in chosen]]
    for kind, found in zip(('short', 'long'), kinds):
        if not found:
            raise ValueError(
                f'{truth.name} has no {kind} videos, which ytvis2022 needs; '
                'name the long ones by long_videos (--long-videos), or use '
                'the metric ytvis'
            )
    return short_and_long(*map(over, kinds))
