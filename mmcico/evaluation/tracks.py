"""Tracks: the masks of one object over a video, and what files say of them.

Messages begin with ``where``: the caller's words for file, track and video.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from .rle import Size, measure, read_mask, usual_masks

Id = int | str
OCCLUSION = dict(no_occlusion=0.0, slight_occlusion=0.25, severe_occlusion=0.75)


@dataclass(frozen=True)
class Video:
    """A video as the ground truth describes it.

    Attributes:
        id (int | str): in the file.
        size (tuple[int, int]): height and width.
        length (int): number of frames.
        is_long (bool): one of the long videos of YouTube-VIS 2022, as far as
            the file shows.
    """

    id: Id
    size: Size
    length: int
    is_long: bool = False


@dataclass
class Track:
    """An object of the ground truth, or a predicted one.

    Attributes:
        masks (list[str | None]): compressed counts, one entry a frame.
        areas (np.ndarray): (length,) pixels of each frame, 0 where absent.
        mean_area (float): over the frames in which it is seen; decides
            whether it is small, medium or large.
        score (float): of a prediction, 0 for ground truth.
        crowd (bool): ground truth that is neither found nor missed.
        occlusion (float): OVIS' score, 0 (all seen) to 0.75.
    """

    masks: list[str | None] | list[bytes | None]
    areas: np.ndarray
    mean_area: float
    score: float = 0.0
    crowd: bool = False
    occlusion: float = 0.0


def is_number(value: Any) -> bool:
    """Whether a field of a file is a finite number; true is none."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    )


def read_masks(entry: dict, video: Video, where: str) -> list[str | None]:
    """Read the masks of a track; whether they fill frames is not checked.

    Args:
        entry (dict): With ``segmentations``.
        video (Video): Whose length and size are wanted.
        where (str): Begin of messages.

    Returns:
        list[str | None]: Compressed counts.

    Raises:
        ValueError: If the number of entries or a mask is wrong.
    """
    entries = entry.get('segmentations')
    check_length(entries, 'segmentations', video, where)
    usual = usual_masks(entries, video.size)
    if usual is not None:
        return usual
    masks: list[str | None] = []
    for frame, mask in enumerate(entries):
        try:
            masks.append(read_mask(mask, video.size))
        except ValueError as error:
            raise ValueError(f'{where}: frame {frame}: field segmentations: {error}') from error
    return masks


def measure_tracks(tracks: list[list[str | None]], video: Video, wheres: list[str]) -> np.ndarray:
    """Areas of the masks of all tracks of a video, which is quick at once.

    Args:
        tracks (list[list[str | None]]): Compressed counts of N tracks.
        video (Video): Their video.
        wheres (list[str]): N begins of messages.

    Returns:
        np.ndarray: (N, length) pixels, 0 where absent.

    Raises:
        ValueError: If a mask does not fill its frame.
    """
    areas = np.zeros((len(tracks), video.length))
    seen = [
        (row, frame)
        for row, masks in enumerate(tracks)
        for frame, mask in enumerate(masks)
        if mask is not None
    ]
    if not seen:
        return areas
    rows, frames = np.array(seen).T
    areas[rows, frames], sizes = measure([tracks[row][frame] or '' for row, frame in seen])
    wrong = np.flatnonzero(sizes != video.size[0] * video.size[1])
    if len(wrong):
        row, frame = seen[wrong[0]]
        raise ValueError(
            f'{wheres[row]}: frame {frame}: field segmentations: the runs in '
            f'counts do not add up to height x width = {video.size[0]} x '
            f'{video.size[1]}'
        )
    return areas


def check_length(entries: Any, key: str, video: Video, where: str) -> None:
    """Raise unless a field is a list with one entry a frame."""
    if not isinstance(entries, list):
        raise ValueError(f'{where}: field {key} is {type(entries).__name__} instead of a list')
    if len(entries) != video.length:
        raise ValueError(
            f'{where}: field {key} has {len(entries)} entries, but the video '
            f'has {video.length} frames; write null where the object is '
            'absent'
        )


def mean_seen(areas: np.ndarray) -> float:
    """Mean of the (length,) areas that are not 0; 0 without any."""
    seen = areas[areas > 0]
    return float(seen.mean()) if len(seen) else 0.0


def stated_area(stated: Any, video: Video, where: str) -> float:
    """Mean of the areas in the file, which the official tool believes."""
    check_length(stated, 'areas', video, where)
    for frame, value in enumerate(stated):
        if value is not None and not is_number(value):
            raise ValueError(
                f'{where}: frame {frame}: field areas is {value!r} instead of a number or null'
            )
    return mean_seen(np.array([value or 0 for value in stated]))


def occlusion_score(levels: Any, video: Video, where: str) -> float:
    """OVIS' score: mean over the more hidden half of the frames."""
    check_length(levels, 'occlusion', video, where)
    for frame, level in enumerate(levels):
        if level is not None and not (isinstance(level, str) and level in OCCLUSION):
            raise ValueError(
                f'{where}: frame {frame}: field occlusion is '
                f'{level!r}; known are {", ".join(OCCLUSION)}'
            )
    scores = sorted(OCCLUSION[each] for each in levels if each is not None)
    worst = scores[len(scores) // 2 :]
    return sum(worst) / len(worst) if worst else 0.0
