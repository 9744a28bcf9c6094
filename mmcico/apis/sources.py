"""Frames of anything that can be a video."""

import logging
import os.path as osp
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Union

import cv2
import numpy as np
from mmengine.logging import print_log

from mmcico.utils.image_size import IMAGE_SUFFIXES

from .file_lists import files_in, named, stands_for_files
from .frames import CHANNELS, checked_frame

#: a file, folder, glob, URL, camera number, or frames themselves
Source = Union[str, Path, int, np.ndarray, Iterable[np.ndarray], Sequence[str], 'FrameSource']


@dataclass
class FrameSource:
    """Frames of one video, (H, W, 3) uint8 BGR, to be read once.

    Attributes:
        name: for file names and messages.
        frames: the frames, one by one.
        fps: frames a second, None where nothing is said.
        length: number of frames as stated, None where unknown.
    """

    name: str
    frames: Iterator[np.ndarray]
    fps: float | None = None
    length: int | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        """Frames, checked to be images of one size.

        Raises:
            ValueError: If a frame is no image, or differs in size; or if
                there is no frame at all.
        """
        size, number = None, -1
        for number, frame in enumerate(self.frames):
            frame = checked_frame(frame, f'{self.name}: frame {number}', size)
            size = frame.shape[:2]
            yield frame
        if number < 0:
            raise ValueError(
                f'{self.name} has no frame that can be read; is '
                'the file whole, does the camera send?'
            )


def open_source(source: Source, name: str | None = None) -> FrameSource:
    """Open what a user calls a video.

    Args:
        source: path of a video file or an image; folder or glob of images,
            taken in natural order, or of one video file; URL that OpenCV
            opens; number of a camera; list of image paths; array (F, H, W,
            3), or any iterable of arrays (H, W, 3), BGR. An array (H, W, 3)
            is one frame.
        name (str, optional): Another name than its own.

    Returns:
        FrameSource: Its frames are read when they are asked for.

    Raises:
        ValueError: If it is missing, empty or not readable.
    """
    if isinstance(source, FrameSource):
        return source
    if isinstance(source, (int, np.integer)) and source >= 0:
        return open_capture(int(source), name or f'camera{source}', live=True)
    if isinstance(source, (str, Path)):
        return open_path(str(source), name)
    if (
        isinstance(source, (list, tuple))
        and source
        and all(isinstance(each, (str, Path)) for each in source)
    ):
        paths = [str(each) for each in source]
        return FrameSource(name or 'images', read_images(paths), None, len(paths))
    if not isinstance(source, Iterable) or isinstance(source, (bytes, dict)):
        raise ValueError(
            f'{source!r} is no video: give a path, a folder, a '
            'glob, a URL, a camera number or frames as arrays'
        )
    if isinstance(source, np.ndarray) and (
        source.ndim == 2 or source.ndim == 3 and source.shape[2] in CHANNELS
    ):
        source = source[None]  # one image
    length = len(source) if hasattr(source, '__len__') else None
    return FrameSource(name or 'frames', iter(source), None, length)


def open_path(path: str, name: str | None) -> FrameSource:
    """A file, folder, glob or URL."""
    if '://' in path:
        name = name or Path(path.split('?')[0]).stem or 'stream'
        return open_capture(path, name, live=True)
    path = osp.expanduser(path)
    if stands_for_files(path):
        images, videos = files_in(path)
        if len(videos) > 1:
            raise ValueError(
                f'{named(path)} holds {len(videos)} videos, such as '
                f'{osp.basename(videos[0])}; here, give one of them'
            )
        if videos:
            return open_path(videos[0], name)
    elif path.lower().endswith(IMAGE_SUFFIXES) and osp.exists(path):
        images = [path]
    elif osp.exists(path):
        if osp.getsize(path) == 0:
            raise ValueError(f'{path} is an empty file (0 bytes)')
        return open_capture(path, name or file_name(path), live=False)
    else:
        raise ValueError(f'"{path}" does not exist')
    stem = file_name(path if osp.exists(path) else osp.dirname(images[0]))
    return FrameSource(name or stem, read_images(images), None, len(images))


def file_name(path: str) -> str:
    """Name of a folder, or of a file without its ending; also of ``.``."""
    whole = Path(osp.abspath(path))
    return whole.name if whole.is_dir() else whole.stem


def read_images(paths: Sequence[str]) -> Iterator[np.ndarray]:
    """Images one by one.

    Raises:
        ValueError: If one is missing or broken.
    """
    for path in paths:
        yield read_image(path)


def read_image(path: str) -> np.ndarray:
    """An image, (H, W, 3) uint8 BGR.

    Raises:
        ValueError: If it is missing or broken.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise ValueError(f'{path} is missing') from None
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror}') from error
    if not content:
        raise ValueError(f'{path} is an empty file (0 bytes)')
    try:
        # on Windows, imread does not open names that are not ASCII
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV takes
        image = None
    if image is None:
        raise ValueError(f'{path} is no readable image')
    return image


def open_capture(source: str | int, name: str, live: bool) -> FrameSource:
    """What OpenCV reads.

    Args:
        source (str | int): Path, URL or number of a camera.
        name (str): Its name.
        live (bool): Whether the end may come at any time.

    Raises:
        ValueError: If OpenCV cannot open it.
    """
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        what = f'camera {source}' if isinstance(source, int) else source
        raise ValueError(
            f'{what} cannot be opened; is it a video that OpenCV reads, and not in use elsewhere?'
        )
    fps = capture.get(cv2.CAP_PROP_FPS)
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    length = count if count > 0 and not live else None
    return FrameSource(
        name, read_capture(capture, name, length, live), fps if 0 < fps <= 1000 else None, length
    )


def read_capture(
    capture: cv2.VideoCapture, name: str, length: int | None, live: bool = False
) -> Iterator[np.ndarray]:
    """Frames until the source ends; says if that is too early."""
    number = 0
    try:
        while True:
            ok, frame = capture.read()
            if not ok:
                break
            number += 1
            yield frame
    finally:
        capture.release()
    message = None
    if live:
        message = f'{name}: no more frames came after {number}'
    elif length is not None and number < length:
        message = f'{name}: {number} of {length} frames could be read'
    if message is not None:
        print_log(message, logger='current', level=logging.WARNING)
