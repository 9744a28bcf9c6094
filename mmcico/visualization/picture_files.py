"""Pictures, and mp4 files that browsers play: H.264, or MPEG-4 Part 2 without PyAV."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmcico.utils.files import is_unicode, part_path, write_whole
from mmcico.utils.image_reading import LEAST_FPS, MOST_FPS, usable_rate

av: Any
try:
    import av

    # not all errors of PyAV are OSErrors
    WRITE_ERRORS: tuple[type[Exception], ...] = (OSError, av.error.FFmpegError)
except ImportError:  # PyAV is optional
    av = None
    WRITE_ERRORS = (OSError,)

PathLike = str | Path


def write_picture(path: PathLike, image: np.ndarray) -> None:
    """Write an (H, W, 3) uint8 BGR picture; folders are created.

    Raises:
        ValueError: If the suffix of the path is that of no picture.
        OSError: If it cannot be written, or its format does not take its size.
    """
    suffix = Path(path).suffix
    if not cv2.haveImageWriter(f'picture{suffix}'):
        raise ValueError(f'{path} has no suffix of a picture; name it .png or .jpg')
    try:
        # cv2.imwrite does not open every file name on every system
        done, data = cv2.imencode(suffix, image)
        problem = '' if done else 'no reason given'
    except cv2.error as error:  # OpenCV 4; OpenCV 5 returns False
        problem = str(error).strip()
    if problem:
        height, width = image.shape[:2]
        raise OSError(
            f'cannot write the picture {path}: its format does not take {height} x {width} pixels '
            f'(height x width) of {image.dtype}; name it .png, or make it smaller ({problem})'
        )
    write_whole(path, data.tobytes())


def write_video(path: PathLike, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames of one size, (H, W, 3) uint8 BGR, as they come."""
    rest = iter(frames)
    first = next(rest)
    with open_video_writer(path, fps, first.shape[:2]) as writer:
        for frame in chain([first], rest):
            writer.write(frame)


class VideoWriter:
    """Writes frames of one size to an mp4 file; see :func:`open_video_writer`.

    Args:
        path: Path of the file.
        fps: Frames per second.
        size: Height and width of the frames.

    Attributes:
        num_frames: Number of frames written so far.
        longest: Pixels of the longest side that the encoder takes.
    """

    longest: int

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self.path = path
        self.size = size
        self.num_frames = 0
        self._has_gap = False
        self._part = part_path(path)
        try:
            with self._named_errors():
                path.parent.mkdir(parents=True, exist_ok=True)
                # the encoders notice late that a path cannot be written, or do not say why
                self._part.open('wb').close()
                height, width = size
                self._start(str(self._part), fps, height + height % 2, width + width % 2)
        except OSError:
            self._remove_part()
            raise

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8 BGR.

        Raises:
            ValueError: If it has another size or type.
            OSError: If it cannot be written.
        """
        if frame.shape != (*self.size, 3) or frame.dtype != np.uint8:
            raise ValueError(
                f'{self.path}: frame {self.num_frames} is {frame.shape} {frame.dtype}, but the '
                f'video was opened for {(*self.size, 3)} uint8 (height, width, BGR)'
            )
        height, width = self.size
        padded = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        try:
            with self._named_errors():
                self._encode(padded)
        except OSError:
            self._has_gap = True
            raise
        self.num_frames += 1

    def close(self) -> None:
        """Finish the file, which appears now if it has frames and all could be written.

        Raises:
            OSError: If it cannot be written.
        """
        try:
            with self._named_errors():
                self._finish()
                if self._is_kept:
                    self._part.replace(self.path)
        finally:
            self._remove_part()

    @property
    def _is_kept(self) -> bool:
        return self.num_frames > 0 and not self._has_gap

    def _remove_part(self) -> None:
        if self._part != self.path and self._part.parent.is_dir():
            self._part.unlink(missing_ok=True)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Raise errors of the encoder with the path and the size."""
        try:
            yield
        except WRITE_ERRORS as error:
            height, width = self.size
            where = f'{self.path} ({height} x {width}, height x width)'
            raise OSError(f'cannot write the video {where}: {error}') from error

    def _start(self, path: str, fps: float, height: int, width: int) -> None:
        raise NotImplementedError

    def _encode(self, frame: np.ndarray) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError


class PyAVWriter(VideoWriter):
    """Writes H.264 in yuv420p."""

    longest = 16384

    def _start(self, path: str, fps: float, height: int, width: int) -> None:
        # an index at the front lets browsers start before they have the whole file
        options = dict(movflags='faststart')
        self._container = av.open(path, mode='w', format='mp4', options=options)
        # fractions such as 30000/1001; slow rates would become 0
        slow = fps < 1
        rate = Fraction(1 / fps if slow else fps).limit_denominator(1001)
        rate = 1 / rate if slow else rate
        self._stream = self._container.add_stream('libx264', rate=rate)
        self._stream.height, self._stream.width = height, width
        self._stream.pix_fmt = 'yuv420p'
        # FFmpeg converts RGB to BT.601; players assume BT.709 for large videos unless told
        colours = {'x264-params': 'colormatrix=smpte170m:range=tv'}
        self._stream.options = dict(crf='20', preset='veryfast', **colours)

    def _encode(self, frame: np.ndarray) -> None:
        picture = av.VideoFrame.from_ndarray(frame, format='bgr24')
        self._container.mux(self._stream.encode(picture))

    def _finish(self) -> None:
        if self._is_kept:
            self._container.mux(self._stream.encode())
        self._container.close()


class OpenCVWriter(VideoWriter):
    """Writes MPEG-4 Part 2, which every build of OpenCV supports."""

    longest = 8190

    def _start(self, path: str, fps: float, height: int, width: int) -> None:
        # OpenCV makes a fraction of at most three decimals, whose 16 bits hold up to 65535
        fps = round(fps, next(digits for digits in (3, 2, 1) if fps * 10**digits <= 65535))
        codec = cv2.VideoWriter.fourcc(*'mp4v')
        self._writer = cv2.VideoWriter(path, codec, fps, (width, height))
        if not self._writer.isOpened():
            raise OSError(
                'OpenCV cannot open it; look whether the disk is full, or else install PyAV '
                '("pip install av")'
            )

    def _encode(self, frame: np.ndarray) -> None:
        self._writer.write(frame)

    def _finish(self) -> None:
        self._writer.release()  # reports no error
        if self._is_kept and not _has_frames(str(self._part), self.num_frames):
            raise OSError('it could not be written whole; look whether the disk is full')


def _has_frames(path: str, number: int) -> bool:
    """Return whether a video can be read and has a number of frames.

    The number that the header states is enough, since the header is written last. Frames are
    counted where it says something else, because not every build of OpenCV reads it exactly.
    """
    capture = cv2.VideoCapture(path)
    try:
        if capture.get(cv2.CAP_PROP_FRAME_COUNT) == number:
            return capture.grab()
        return sum(1 for _ in iter(capture.grab, False)) == number
    finally:
        capture.release()


@contextmanager
def open_video_writer(path: PathLike, fps: float, size: tuple[int, ...]) -> Iterator[VideoWriter]:
    """Open a video for writing, as a context manager.

    The codec is H.264 in yuv420p if PyAV is installed, else OpenCV's MPEG-4. Folders are
    created, odd sizes padded by one pixel. The file appears when it is finished. It has all
    frames before an error of the caller; a file that cannot be written whole does not appear.

        with open_video_writer('out.mp4', 25, frame.shape[:2]) as writer: writer.write(frame)

    Args:
        path: File name that ends in ``.mp4``; an existing file is replaced.
        fps: Frames per second, from 0.01 to 1000.
        size: Height and width of the frames.

    Yields:
        VideoWriter: Writer with the method ``write(frame)``.

    Raises:
        ValueError: If the name, the rate or the size cannot be used.
        OSError: If the file cannot be written.
    """
    path = Path(path).absolute()
    opener = PyAVWriter if av is not None and 'libx264' in av.codecs_available else OpenCVWriter
    problem = None
    if path.suffix.lower() != '.mp4':
        problem = 'choose a name that ends in .mp4'
    elif not is_unicode(path):
        problem = 'the encoders open paths of valid Unicode only, choose another one'
    elif usable_rate(fps) is None:
        problem = f'fps is {fps}, choose a number from {LEAST_FPS:g} to {MOST_FPS:g}'
    elif not 1 <= min(size) <= max(size) <= opener.longest:
        problem = (
            f'the size (height, width) is {tuple(size)}, choose sides from 1 to {opener.longest}: '
            'smaller frames or fewer panels'
        )
    if problem:
        raise ValueError(f'cannot write the video {path}: {problem}')
    writer = opener(path, fps, (int(size[0]), int(size[1])))
    try:
        yield writer
    finally:
        writer.close()
