"""Frames as files: contact sheets and videos."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from .video_writer import open_video_writer

PathLike = str | Path


def spread(length: int, count: int) -> list[int]:
    """Up to ``count`` places from 0 to ``length - 1``, evenly spread.

    >>> spread(10, 4)
    [0, 3, 6, 9]
    """
    places = np.linspace(0, length - 1, min(length, count)).round()
    return places.astype(int).tolist()


def write_picture(path: PathLike, image: np.ndarray) -> None:
    """Write an (H, W, 3) uint8 BGR picture; folders are made.

    Raises:
        OSError: If it cannot be written.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image):
        raise OSError(f'cannot write the picture {path}')


def write_video(path: PathLike, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames of one size, (H, W, 3) uint8 BGR, as they come."""
    rest = iter(frames)
    first = next(rest)
    with open_video_writer(path, fps, first.shape[:2]) as writer:
        writer.write(first)
        for frame in rest:
            writer.write(frame)
