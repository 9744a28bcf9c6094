"""Frames of anything that can be a video."""

import copy
import logging
import os.path as osp
import re
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import numpy as np
from mmengine.config import ConfigDict
from mmengine.dataset import Compose
from mmengine.logging import print_log

from mmcico.datasets.clip_windows import Window
from mmcico.utils.files import without_secrets
from mmcico.utils.image_reading import (
    brightest_of_16_bits,
    num_pages,
    page_rate,
    read_image,
    read_pages,
)

from .captures import open_capture
from .media import files_in, kind_of, named, stands_for_files

#: grey, BGR, BGR with transparency
CHANNELS = (1, 3, 4)
#: 12 bits of 16, read as 8
NEARLY_BLACK = 16
#: file, folder, glob, URL, camera number, or frames
Source = Union[str, Path, int, np.ndarray, Iterable[np.ndarray], Sequence[str], 'FrameSource']


@dataclass
class FrameSource:
    """Frames of one video, (H, W, 3) uint8 BGR, to be read once.

    Attributes:
        name: Name for files and messages.
        frames: The frames, one by one.
        fps: Frames per second, None if unknown.
        length: Number of frames as stated, None if unknown.
        is_file: Whether frames come from files, so that they may be read ahead.
        files: Paths of these files.
        was_read: Whether the frames came to their end.
    """

    name: str
    frames: Iterator[np.ndarray]
    fps: float | None = None
    length: int | None = None
    is_file: bool = False
    files: Sequence[str] = ()
    was_read: bool = field(default=False, init=False, repr=False)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the frames, checked to be images of one size.

        Raises:
            ValueError: If a frame is not an image or has another size, if there is no frame, or if
                all were read before.
        """
        size, number = None, -1
        for number, frame in enumerate(self.frames):
            frame = checked_frame(frame, f'{self.name}: frame {number}', size)
            size = frame.shape[:2]
            yield frame
        if number < 0 and self.was_read:
            raise ValueError(
                f'{self.name} was read already, and a source gives its frames once; open it again '
                'with open_source'
            )
        self.was_read = True
        if number < 0:
            raise ValueError(
                f'{self.name} has no frame that can be read; check that the file is whole, or '
                'that the camera sends'
            )


def checked_frame(frame: Any, where: str, size: tuple[int, ...] | None) -> np.ndarray:
    """Return a frame as models expect it, (H, W, 3) uint8 BGR.

    Frames are (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, uint8, of the height and width of
    those before.

    Raises:
        ValueError: If it is not an image, or of another size.
    """
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        kind = getattr(frame, 'dtype', type(frame).__name__)
        raise ValueError(
            f'{where} is {kind}; frames are arrays of uint8, (height, width, 3) in the order '
            'blue, green, red'
        )
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.ndim != 3 or frame.shape[2] not in CHANNELS or not frame.size:
        raise ValueError(
            f'{where} has the shape {frame.shape}; frames are (height, width) or (height, width, '
            '1, 3 or 4)'
        )
    if size is not None and frame.shape[:2] != size:
        raise ValueError(
            f'{where} is {frame.shape[:2]} (height, width), those before were {size}; a video has '
            'one size, so give the following frames as another video'
        )
    return frame.repeat(3, axis=2) if frame.shape[2] == 1 else frame[..., :3]


def open_source(source: Source, name: str | None = None) -> FrameSource:
    """Open a video.

    Args:
        source: Path of a video file, an image or a stack of images; folder or glob of images,
            read in natural order, or of one video file; URL that OpenCV opens; number of a
            camera; list of image paths; array (F, H, W, 3), or any iterable of arrays
            (H, W, 3), BGR. An array (H, W, 3) is one frame.
        name (str, optional): Name of the video, instead of the name of the file.

    Returns:
        FrameSource: Its frames are read when they are needed.

    Raises:
        ValueError: If it is missing, empty or not readable.
    """
    if isinstance(source, FrameSource):
        return source
    if isinstance(source, (int, np.integer)) and source >= 0:
        return _captured(int(source), name or f'camera{source}', live=True)
    if isinstance(source, (str, Path)):
        return _open_path(str(source), name)
    if isinstance(source, (list, tuple)) and source:
        if all(isinstance(each, (str, Path)) for each in source):
            return _images([str(each) for each in source], name or 'images')
    if not isinstance(source, Iterable) or isinstance(source, (bytes, dict)):
        raise ValueError(
            f'{source!r} is not a video: give a path, a folder, a glob, a URL, a camera number or '
            'frames as arrays'
        )
    if isinstance(source, np.ndarray) and (
        source.ndim == 2 or source.ndim == 3 and source.shape[2] in CHANNELS
    ):
        source = source[None]  # one image
    length = len(source) if isinstance(source, Sized) else None
    frames = cast(Iterable[np.ndarray], source)
    return FrameSource(name or 'frames', iter(frames), None, length)


def files_of(source: Source) -> Sequence[str]:
    """Return the paths of the files that a source reads, without opening it.

    Raises:
        ValueError: If a folder or glob has both images and videos, or neither.
    """
    if isinstance(source, FrameSource):
        return source.files
    if isinstance(source, (list, tuple)):
        return [local_path(str(each)) for each in source if isinstance(each, (str, Path))]
    path = local_path(str(source)) if isinstance(source, (str, Path)) else '://'
    if '://' in path:
        return []
    images, videos = files_in(path) if stands_for_files(path) else ([path], [])
    return images or videos


def local_path(path: str) -> str:
    """Return the path of a ``file://`` URL or below ``~``; other URLs stay as they are."""
    if path.lower().startswith('file://'):
        path = url2pathname(urlsplit(path).path)
    return path if '://' in path else osp.expanduser(path)


def _open_path(path: str, name: str | None) -> FrameSource:
    """Open a file, folder, glob, URL or device of a camera."""
    path = local_path(path)
    if '://' in path:
        return _open_url(path, name)
    camera = re.fullmatch('/dev/video([0-9]+)', path)
    if camera and osp.exists(path):
        return open_source(int(camera[1]), name)
    if stands_for_files(path):
        images, videos = files_in(path)
        if images:
            folder = path if osp.isdir(path) else osp.dirname(images[0])
            return _images(images, name or _stem(folder))
        if len(videos) > 1:
            raise ValueError(
                f'{named(path)} holds {len(videos)} videos, such as {osp.basename(videos[0])}; '
                'give one of them'
            )
        path = videos[0]
    kind, name = kind_of(path), name or _stem(path)
    if kind == 'image':
        return _images([path], name)
    if kind == 'pages':
        frames = _noted(path, read_pages(path))
        return FrameSource(name, frames, page_rate(path), num_pages(path), True, [path])
    return _captured(path, name, live=False)


def _open_url(url: str, name: str | None) -> FrameSource:
    """Open a stream; FFmpeg would draw a text file as a video."""
    parts = urlsplit(url)
    file = Path(unquote(parts.path))
    if file.suffix.lower() in ('.txt', '.nfo', '.asc', '.ans', '.diz', '.ice', '.art', '.bin'):
        raise ValueError(f'{without_secrets(url)} is a text file by its name, not a video')
    return _captured(url, name or file.stem or parts.hostname or 'stream', live=True)


def _captured(source: str | int, name: str, live: bool) -> FrameSource:
    files = () if live else (str(source),)
    return FrameSource(name, *open_capture(source, name, live), not live, files)


def _stem(path: str) -> str:
    """Return the name of a folder, also of ``.``, or of a file without its ending."""
    whole = Path(osp.abspath(path))
    return whole.name if whole.is_dir() else whole.stem


def _images(paths: Sequence[str], name: str) -> FrameSource:
    frames = _noted(paths[0], _read_images(paths))
    return FrameSource(name, frames, None, len(paths), True, paths)


def _noted(path: str, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield frames, and warn if the first one, from this file, is nearly black for its depth."""
    for number, frame in enumerate(frames):
        if number == 0 and frame.max() < NEARLY_BLACK and (brightest := brightest_of_16_bits(path)):
            print_log(
                f'{path} has 16 bits a channel, of which the upper 8 are used, and the brightest '
                f'is {brightest} of 65535: scale the values to the whole range of 16 bits',
                logger='current',
                level=logging.WARNING,
            )
        yield frame


def _read_images(paths: Sequence[str]) -> Iterator[np.ndarray]:
    for path in paths:
        image = read_image(path)
        pages = num_pages(path)
        if pages > 1:
            raise ValueError(
                f'{path} has {pages} pages, so it is a video of its own and not a frame of one; '
                'give it alone'
            )
        yield image


def array_pipeline(cfg: ConfigDict) -> Compose:
    """Return the test pipeline of a config for frames in memory."""
    steps = copy.deepcopy(cfg.test_dataloader.dataset.pipeline)
    for step in steps:
        for inner in step.get('transforms', []):
            if inner['type'] == 'mmcico.LoadClipFrame':
                inner['type'] = 'mmcico.LoadClipArray'
    return Compose(steps)


def clip_info(name: str, images: dict[int, np.ndarray], window: Window) -> dict:
    """Return the input of the pipeline, as :class:`VISDataset` gives it."""
    frames = {
        frame_id: dict(
            img=images[frame_id],
            img_path=f'{name}/{frame_id}',
            img_id=f'{name}/{frame_id}',
            video_id=name,
            frame_id=frame_id,
            source=name,
            height=images[frame_id].shape[0],
            width=images[frame_id].shape[1],
            instances=[],
        )
        for frame_id in window.frame_ids
    }
    return dict(
        video_id=name,
        num_frames=len(window.frame_ids),
        key_frame_id=window.frame_ids[0],
        frames=frames,
        **window._asdict(),
    )
