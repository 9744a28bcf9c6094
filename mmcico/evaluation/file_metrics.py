"""Measure a results file against a ground truth file."""

import mmap
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from mmcico.utils.json_file import load_json

from .figures import Metrics
from .list_parts import Data, Part, cut_list, read_part
from .matching import Group, Matches
from .vis_entries import Entries, annotated, predicted, read_tracks, sort_by_video
from .vis_json import open_ground_truth, open_results
from .vis_tables import GroundTruth, Place
from .workers import in_processes, no_garbage_collection
from .ytvis_eval import check_long_videos, figures_of, groups_of, match_places

PART = 2 * 2**20  # bytes of results that are in memory as objects


class Truth(NamedTuple):
    """What results are measured against."""

    file: GroundTruth
    annotations: Entries
    groups: list[Group]


Found = dict[Place, Matches]


def measure_files(
    ground_truth: str | Path,
    results: str | Path,
    metric: str = 'ytvis',
    long_videos: Sequence[Any] | None = None,
    processes: int = 1,
) -> tuple[Metrics, GroundTruth]:
    """Read two files and measure them.

    The ground truth is in memory, of the results a few videos at a time; if
    the videos of the results are not in order, they are too.

    Args:
        ground_truth (str | Path): Layout of YouTube-VIS, or CocoVID.
        results (str | Path): ``results.json``.
        metric (str): ``'ytvis'``, ``'ovis'`` or ``'ytvis2022'``.
        long_videos (Sequence, optional): Their ids, for ``'ytvis2022'``.
        processes (int): Share the work among so many processes, where the
            system can fork.

    Returns:
        tuple[dict, GroundTruth]: Figures as ``evaluate`` returns them, and
        the ground truth without its tracks.

    Raises:
        ValueError: If a file cannot be used, or has no annotations, or the
            other arguments do not fit together.
    """
    groups = groups_of(metric)
    check_long_videos(metric, long_videos)
    if processes < 1:
        raise ValueError(f'processes is {processes}, choose 1 or more')
    with no_garbage_collection():
        file, annotations = open_ground_truth(ground_truth)
        if not file.has_annotations:
            raise ValueError(
                f'{ground_truth} has no annotations, so there is nothing to '
                'measure against; send submission.zip to the server'
            )
        truth = Truth(file, annotations, groups)
        matches = _match_parts(truth, results, processes)
        if matches is None:
            matches = _match_whole(truth, results, processes)
        videos = range(len(file.videos))
        return figures_of(file, matches, videos, metric, long_videos), file


def _match_videos(truth: Truth, predictions: Entries, videos: Iterable[int]) -> Found:
    """Read and match some videos, one after the other."""
    matches: Found = {}
    for video in videos:
        objects = read_tracks(truth.file, truth.annotations, video, annotated)
        tracks = read_tracks(truth.file, predictions, video, predicted)
        matches.update(match_places(truth.file, tracks, objects, truth.groups))
    return matches


def _match_whole(truth: Truth, results: str | Path, processes: int) -> Found:
    """Read the results here, and match shares of the videos."""
    predictions = open_results(results, truth.file)
    videos = sorted({*truth.annotations, *predictions})
    number = max(1, min(processes, len(videos)))
    shares = [videos[i::number] for i in range(number)]
    answers = in_processes(partial(_match_videos, truth, predictions), shares)
    return {place: each[place] for each in answers for place in each}


def _match_parts(truth: Truth, results: str | Path, processes: int) -> Found | None:
    """Read and match the results in parts, one after the other.

    Returns:
        dict | None: None if the videos are not in order in the file, or
        anything is wrong with it; ``_match_whole`` then says what it is.
    """
    try:
        with (
            open(results, 'rb') as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            rounds = -(-len(data) // (PART * processes))
            parts = cut_list(data, processes * rounds)
            ends = [len(parts) * i // processes for i in range(processes + 1)]
            shares = [parts[a:b] for a, b in zip(ends, ends[1:]) if a < b]
            answers = in_processes(partial(_match_share, truth, data), shares)
    except (OSError, ValueError):
        return None
    seen: set[int] = set()
    matches: Found = {}
    for videos, found in sum(answers, []):
        if not seen.isdisjoint(videos):
            return None
        seen.update(videos)
        matches.update(found)
    rest = sorted({*truth.annotations} - seen)
    matches.update(_match_videos(truth, {}, rest))
    return matches


def _match_share(truth: Truth, data: Data, parts: Sequence[Part]) -> list[tuple[list[int], Found]]:
    """Videos of some parts of the results, and their matches."""
    answer = []
    for part in parts:
        entries = sort_by_video(truth.file, read_part(data, part), 'track')
        videos = sorted(entries)
        answer.append((videos, _match_videos(truth, entries, videos)))
    return answer


def long_video_ids(path: str | Path) -> list[Any]:
    """Ids of the long videos from a file.

    Args:
        path (str | Path): JSON: a list of ids, or ground truth of the long
            videos alone, as the server has it.

    Raises:
        ValueError: If it is neither.
    """
    content = load_json(path)
    if isinstance(content, dict) and isinstance(content.get('videos'), list):
        content = [each.get('id') if isinstance(each, dict) else each for each in content['videos']]
    if not isinstance(content, list):
        raise ValueError(
            f'{path}: expected a list of video ids, or an object with the list "videos"'
        )
    return content
