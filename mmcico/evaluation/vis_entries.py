"""Annotations and predicted tracks of files, read video by video."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mmcico.datasets.fields import read_crowd

from .tracks import (
    Track,
    Video,
    is_number,
    mean_seen,
    measure_tracks,
    occlusion_score,
    read_masks,
    stated_area,
)
from .vis_tables import GroundTruth, Tracks


class Entry(NamedTuple):
    """One entry of a file.

    Attributes:
        fields (dict): As in the file.
        category (int): Position of its category.
        where (str): Begin of messages.
    """

    fields: dict[str, Any]
    category: int
    where: str


# video position -> its entries in the order of the file
Entries = dict[int, list[Entry]]
Finish = Callable[[Entry, list[str | None], np.ndarray, Video], Track]


def sort_by_video(truth: GroundTruth, entries: list[Any], what: str) -> Entries:
    """Find out where each entry belongs; its masks are not looked at.

    Args:
        truth (GroundTruth): Whose videos and categories are meant.
        entries (list): Of a file.
        what (str): File and kind of entry, for messages.

    Returns:
        Entries: By video.

    Raises:
        ValueError: If a video or category is not known.
    """
    found: Entries = {}
    for index, fields in enumerate(entries):
        where = f'{what} {index}'
        video, category = truth.place(fields, where)
        if fields.get('id') is not None:
            where += f' (id {fields["id"]})'
        where += f' of video {truth.videos[video].id}'
        found.setdefault(video, []).append(Entry(fields, category, where))
    return found


def read_tracks(truth: GroundTruth, entries: Entries, video: int, finish: Finish) -> Tracks:
    """Read the masks of one video.

    Args:
        truth (GroundTruth): The videos.
        entries (Entries): By video.
        video (int): Position of the video.
        finish (Callable): ``annotated`` or ``predicted``.

    Returns:
        Tracks: Of the video.

    Raises:
        ValueError: If a field is wrong.
    """
    tracks: Tracks = {}
    chosen, about = entries.get(video, []), truth.videos[video]
    masks = [read_masks(each.fields, about, each.where) for each in chosen]
    areas = measure_tracks(masks, about, [each.where for each in chosen])
    for each, own, sizes in zip(chosen, masks, areas):
        tracks.setdefault((video, each.category), []).append(finish(each, own, sizes, about))
    return tracks


def annotated(entry: Entry, masks: list[str | None], areas: np.ndarray, video: Video) -> Track:
    """An object of the ground truth.

    Args:
        entry (Entry): With ``areas``, ``iscrowd`` and ``occlusion``, if they
            are known.
        masks (list[str | None]): Compressed counts.
        areas (np.ndarray): (length,) pixels.
        video (Video): Its video.

    Raises:
        ValueError: If a field is wrong.
    """
    fields, where = entry.fields, entry.where
    mean_area = mean_seen(areas)
    if fields.get('areas') is not None:
        mean_area = stated_area(fields['areas'], video, where)
    occlusion = 0.0
    if fields.get('occlusion') is not None:
        occlusion = occlusion_score(fields['occlusion'], video, where)
    return Track(masks, areas, mean_area, crowd=read_crowd(fields, where), occlusion=occlusion)


def predicted(entry: Entry, masks: list[str | None], areas: np.ndarray, video: Video) -> Track:
    """A predicted track; one without any mask counts as a false positive.

    Args:
        entry (Entry): With ``score``.
        masks (list[str | None]): Compressed counts.
        areas (np.ndarray): (length,) pixels.
        video (Video): Its video.

    Raises:
        ValueError: If the score is no finite number.
    """
    score = entry.fields.get('score')
    if not is_number(score):
        raise ValueError(f'{entry.where}: field score is {score!r} instead of a finite number')
    return Track(masks, areas, mean_seen(areas), score=float(score))
