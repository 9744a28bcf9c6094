"""Average precision and recall as YouTube-VIS and OVIS define them.

A prediction is right if its IoU over the whole video with an object of its class reaches a
threshold. The figures equal those of the official tools (youtubevos/cocoapi, qjy981010/cocoapi).
Objects are identified by their position, so that an id may be 0, and masks are not decoded.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from mmcico.formats.fields import id_key
from mmcico.utils.processes import end_with_parent

from .figures import GROUPS, Metrics, short_and_long, summarize
from .ground_truth import GroundTruth, Place, Tracks, is_long, read_ground_truth, read_results
from .matching import Group, Matches, match_tracks


def add_metric_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options ``--metric`` and ``--long-videos``."""
    parser.add_argument(
        '--metric',
        choices=[*GROUPS],
        default='ytvis',
        help='ovis adds figures by occlusion; ytvis2022 measures short and long videos separately '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--long-videos',
        help='for ytvis2022: JSON list of the ids of the long videos, or a file with their ground '
        'truth alone (default: file names and lengths of the videos decide)',
    )


def check_metric_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End with exit code 2 if the options of :func:`add_metric_arguments` do not fit together."""
    try:
        groups_of(args.metric, args.long_videos)
    except ValueError as error:
        parser.error(str(error))


def measure_files(
    ground_truth: str | Path,
    results: str | Path,
    metric: str = 'ytvis',
    long_videos: Sequence[Any] | None = None,
    processes: int = 1,
    crowds_as_objects: bool = False,
) -> tuple[Metrics, GroundTruth]:
    """Measure a file of results against a ground truth file.

    Args:
        ground_truth (str | Path): File in the layout of YouTube-VIS or CocoVID.
        results (str | Path): ``results.json``, a zip of it, or parts of a test.
        metric (str): ``'ytvis'``, ``'ovis'`` or ``'ytvis2022'``.
        long_videos (Sequence, optional): Ids of the long videos, for ``'ytvis2022'``.
        processes (int): Number of processes that compare tracks.
        crowds_as_objects (bool): Whether to take ``iscrowd`` as 0.

    Returns:
        tuple[dict, GroundTruth]: Figures as ``evaluate`` returns them, and the ground truth.

    Raises:
        ValueError: If a file cannot be used or has no annotations, or if the other arguments do
            not fit together.
    """
    groups_of(metric, long_videos)
    truth = read_annotated(ground_truth, crowds_as_objects)
    tracks = read_results(results, truth)
    return evaluate(truth, tracks, metric, long_videos=long_videos, processes=processes), truth


def read_annotated(path: str | Path, crowds_as_objects: bool = False) -> GroundTruth:
    """Read a ground truth file that must have annotations.

    Raises:
        ValueError: If the file is not usable or has no annotations.
    """
    truth = read_ground_truth(path, crowds_as_objects=crowds_as_objects)
    if not truth.has_annotations:
        raise ValueError(
            f'{path} has no annotations, so there is nothing to measure against; send '
            'submission.zip to the server, or use a part of the training set that was held back'
        )
    return truth


def evaluate(
    truth: GroundTruth,
    tracks: Tracks,
    metric: str = 'ytvis',
    video_ids: Sequence[Any] | None = None,
    long_videos: Sequence[Any] | None = None,
    processes: int = 1,
) -> Metrics:
    """Measure predicted tracks.

    Args:
        truth (GroundTruth): Ground truth with annotations.
        tracks (Tracks): Predictions, from ``read_results``.
        metric (str): ``'ytvis'``; ``'ovis'`` for figures by occlusion too; ``'ytvis2022'`` for
            separate figures of short and long videos.
        video_ids (Sequence, optional): Ids of the videos to measure; all if left out.
        long_videos (Sequence, optional): Ids of the long videos, for ``'ytvis2022'``. If left
            out, file names and lengths of the videos decide (see ``is_long``).
        processes (int): Number of processes that compare tracks.

    Returns:
        dict: ``AP``, ``AP50``, ``AP75``, ``APs``, ``APm``, ``APl``, ``AR1``, ``AR10``, ``AR100``,
        ``ARs``, ``ARm``, ``ARl`` and with ``'ovis'`` ``AP_light``, ..., ``AR_heavy``: float in
        0..1, None without ground truth; ``AP_per_class``: the same for each class, in the order
        of the category ids, and ``classes``, their names. With ``'ytvis2022'`` ``mAP``, the mean
        of ``mAP_short`` and ``mAP_long``, and the other figures with the suffix ``_short`` or
        ``_long``.

    Raises:
        ValueError: If the metric or a video is unknown, if one kind of videos of ``'ytvis2022'``
            is absent, or if ``long_videos`` is given to another metric.
    """
    groups = groups_of(metric, long_videos)
    videos = _positions(truth, video_ids)
    wanted = set(videos)
    places = [place for place in {**tracks, **truth.tracks} if place[0] in wanted]
    matches = _match_places(truth, tracks, places, groups, processes)

    def over(chosen: Sequence[int]) -> Metrics:
        by_class = {
            name: [matches[video, index] for video in chosen if (video, index) in matches]
            for index, (_, name) in enumerate(truth.categories)
        }
        return summarize(by_class, groups)

    if metric != 'ytvis2022':
        return over(videos)
    return short_and_long(*map(over, _short_and_long(truth, videos, long_videos)))


def groups_of(metric: str, long_videos: Any) -> Sequence[Group]:
    """Return the groups of objects that a metric distinguishes.

    Raises:
        ValueError: If the metric is unknown, or if long videos, ids or a file, are given to a
            metric that does not distinguish them.
    """
    if metric not in GROUPS:
        raise ValueError(f'metric is {metric!r}; known are {", ".join(GROUPS)}')
    if long_videos is not None and metric != 'ytvis2022':
        raise ValueError(
            'long_videos (--long-videos) goes with the metric ytvis2022, not '
            f'{metric}; set that metric or leave the long videos out'
        )
    return GROUPS[metric]


def _positions(
    truth: GroundTruth, video_ids: Sequence[Any] | None, field: str = 'video_ids'
) -> list[int]:
    """Return the indices of the chosen videos."""
    if video_ids is None:
        return list(range(len(truth.videos)))
    unknown = [i for i in video_ids if id_key(i) not in truth.video_index]
    if unknown:
        raise ValueError(f'{truth.name} has no video {unknown[0]!r}, which {field} names')
    return sorted({truth.video_index[id_key(i)] for i in video_ids})


def _short_and_long(
    truth: GroundTruth, videos: Sequence[int], long_videos: Sequence[Any] | None
) -> list[list[int]]:
    """Separate short and long videos; raise ValueError if a kind is absent."""
    if long_videos is None:
        chosen = {i for i in videos if is_long(truth.videos[i])}
    else:
        chosen = set(_positions(truth, long_videos, 'long_videos'))
    kinds = [[i for i in videos if i not in chosen], [i for i in videos if i in chosen]]
    for kind, found in zip(('short', 'long'), kinds):
        if not found:
            raise ValueError(
                f'{truth.name} has no {kind} videos, which ytvis2022 needs; name the long ones by '
                'long_videos (--long-videos), or use the metric ytvis'
            )
    return kinds


def _match_places(
    truth: GroundTruth,
    tracks: Tracks,
    places: Sequence[Place],
    groups: Sequence[Group],
    processes: int,
) -> dict[Place, Matches]:
    """Match the tracks of each video and class, in several processes if wanted."""
    if processes < 1:
        raise ValueError(f'processes is {processes}, choose 1 or more')
    number = max(1, min(processes, len(places)))
    work = (
        [tracks.get(place, []) for place in places],
        [truth.tracks.get(place, []) for place in places],
        [truth.videos[place[0]].size for place in places],
        [groups] * len(places),
    )
    if number == 1:
        return dict(zip(places, map(match_tracks, *work)))
    try:
        with ProcessPoolExecutor(number, initializer=end_with_parent) as pool:
            chunk = -(-len(places) // (8 * number))
            return dict(zip(places, pool.map(match_tracks, *work, chunksize=chunk)))
    except BrokenProcessPool as error:
        raise ValueError(
            'a process died while it compared tracks, perhaps for lack of memory; use one process'
        ) from error
