"""Ground truth and results files of video instance segmentation.

Both follow the layout of YouTube-VIS, which OVIS shares; ground truth may be
CocoVID too. Everything that a file can get wrong ends in a ``ValueError``
that names file, video, track, frame and field.
"""

from pathlib import Path
from typing import Any

from mmcico.datasets.cocovid_format import is_cocovid
from mmcico.datasets.fields import read_annotations_list
from mmcico.utils.json_file import load_json

from .cocovid import to_youtube_vis
from .vis_entries import Entries, annotated, predicted, read_tracks, sort_by_video
from .vis_tables import GroundTruth, Tracks, read_categories, read_videos

__all__ = [
    'GroundTruth',
    'Tracks',
    'open_ground_truth',
    'open_results',
    'read_ground_truth',
    'read_results',
]


def open_ground_truth(
    source: str | Path | dict, name: str = 'ground truth'
) -> tuple[GroundTruth, Entries]:
    """Read a ground truth file, but not yet its masks.

    Args:
        source (str | Path | dict): File, or what was read from it.
        name (str): Of the file in messages, when ``source`` is a dict.

    Returns:
        tuple[GroundTruth, Entries]: Without tracks, and the annotations.

    Raises:
        ValueError: If the file is not usable.
    """
    if not isinstance(source, dict):
        source, name = load_json(source), str(source)
    if isinstance(source, dict) and is_cocovid(source):
        source = to_youtube_vis(source, name)
    if not isinstance(source, dict) or not all(
        isinstance(source.get(key), list) for key in ('videos', 'categories')
    ):
        raise ValueError(
            f'{name}: expected an object with the lists "videos", '
            '"categories" and "annotations", the layout of YouTube-VIS'
        )
    annotations = read_annotations_list(source, name)
    truth = GroundTruth(
        name,
        read_videos(source['videos'], name),
        read_categories(source['categories'], name),
        has_annotations=bool(annotations),
    )
    entries = sort_by_video(truth, annotations, f'{name}: annotation')
    truth.without_occlusion = sum(each.get('occlusion') is None for each in annotations)
    return truth, entries


def read_ground_truth(source: str | Path | dict, name: str = 'ground truth') -> GroundTruth:
    """Read and check a ground truth file.

    Args:
        source (str | Path | dict): File, or what was read from it.
        name (str): Of the file in messages, when ``source`` is a dict.

    Returns:
        GroundTruth: The file; no tracks if it has no ``annotations``.

    Raises:
        ValueError: If the file is not usable.
    """
    truth, entries = open_ground_truth(source, name)
    for video in entries:
        truth.tracks.update(read_tracks(truth, entries, video, annotated))
    return truth


def open_results(
    source: str | Path | list[Any], truth: GroundTruth, name: str = 'results'
) -> Entries:
    """Read a file of results, but not yet its masks.

    Args:
        source (str | Path | list): File, or what was read from it.
        truth (GroundTruth): Whose videos and categories are meant.
        name (str): Of the file in messages, when ``source`` is a list.

    Returns:
        Entries: Predicted tracks by video.

    Raises:
        ValueError: If the file is not usable.
    """
    if not isinstance(source, list):
        source, name = load_json(source), str(source)
    if not isinstance(source, list):
        raise ValueError(f'{name}: expected a list of tracks, found {type(source).__name__}')
    return sort_by_video(truth, source, f'{name}: track')


def read_results(
    source: str | Path | list[Any], truth: GroundTruth, name: str = 'results'
) -> Tracks:
    """Read and check results against the ground truth.

    Args:
        source (str | Path | list): File, or what was read from it.
        truth (GroundTruth): Whose videos and categories are meant.
        name (str): Of the file in messages, when ``source`` is a list.

    Returns:
        Tracks: Predicted tracks. One without any mask counts as a false
            positive, as it does for the official tool.

    Raises:
        ValueError: If the file is not usable.
    """
    entries = open_results(source, truth, name)
    tracks: Tracks = {}
    for video in entries:
        tracks.update(read_tracks(truth, entries, video, predicted))
    return tracks
