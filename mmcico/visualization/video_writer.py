"""mp4 files that browsers and players show: H.264, or MPEG-4 without PyAV."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

try:
    import av

    #: PyAV's own are not all of them
    WRITE_ERRORS = (OSError, av.error.FFmpegError)
except ImportError:  # PyAV is optional
    av = None
    WRITE_ERRORS = (OSError,)


class VideoWriter:
    """Writes frames of one size to an mp4 file; see ``open_video_writer``.

    Args:
        path: of the file, for messages.
        size: height and width of the frames.

    Attributes:
        num_frames: written so far.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path = path
        self.size = size
        self.num_frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8 BGR.

        Raises:
            ValueError: if it has another size or type.
            OSError: if it cannot be written.
        """
        if frame.shape != (*self.size, 3) or frame.dtype != np.uint8:
            raise ValueError(
                f'{self.path}: frame {self.num_frames} is {frame.shape} '
                f'{frame.dtype}, but the video was opened for '
                f'{(*self.size, 3)} uint8 (height, width, BGR)'
            )
        try:
            self._encode(self._pad(frame))
        except WRITE_ERRORS as error:
            raise _cannot_write(self.path, self.size, error) from error
        self.num_frames += 1

    def close(self) -> None:
        """Finish the file; an empty one, which nothing plays, is removed."""
        try:
            self._finish()
        except WRITE_ERRORS as error:
            raise _cannot_write(self.path, self.size, error) from error
        if self.num_frames == 0:
            self.path.unlink(missing_ok=True)

    def _pad(self, frame: np.ndarray) -> np.ndarray:
        """Repeat the last row and column where the size is odd."""
        height, width = self.size
        if height % 2 == 0 and width % 2 == 0:
            return np.ascontiguousarray(frame)
        return cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)

    def _encode(self, frame: np.ndarray) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError


class PyAVWriter(VideoWriter):
    """H.264, yuv420p."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        super().__init__(path, size)
        # the index goes first, so that browsers start before all is there
        self._container: Any = av.open(
            str(path), mode='w', format='mp4', options=dict(movflags='faststart')
        )
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream('libx264', rate=rate)
        self._stream.height = size[0] + size[0] % 2
        self._stream.width = size[1] + size[1] % 2
        self._stream.pix_fmt = 'yuv420p'
        # how FFmpeg makes YUV of RGB; players take large videos for another
        colours = {'x264-params': 'colormatrix=smpte170m:range=tv'}
        self._stream.options = dict(crf='20', preset='veryfast', **colours)

    def _encode(self, frame: np.ndarray) -> None:
        picture = av.VideoFrame.from_ndarray(frame, format='bgr24')
        self._container.mux(self._stream.encode(picture))

    def _finish(self) -> None:
        if self.num_frames:
            self._container.mux(self._stream.encode())
        self._container.close()


class OpenCVWriter(VideoWriter):
    """MPEG-4 part 2, which OpenCV's own builds can write."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        super().__init__(path, size)
        height, width = size
        self._writer = cv2.VideoWriter(
            str(path),
            cv2.VideoWriter_fourcc(*'mp4v'),
            fps,
            (width + width % 2, height + height % 2),
        )
        if not self._writer.isOpened():
            raise OSError('OpenCV cannot open it; install PyAV ("pip install av")')

    def _encode(self, frame: np.ndarray) -> None:
        self._writer.write(frame)

    def _finish(self) -> None:
        self._writer.release()


def _cannot_write(path: Path, size: tuple[int, int], error: Exception) -> OSError:
    height, width = size
    return OSError(f'cannot write the video {path} ({height} x {width}, height x width): {error}')


def _has_h264() -> bool:
    return av is not None and 'libx264' in av.codecs_available


@contextmanager
def open_video_writer(path: str | Path, fps: float, size: tuple[int, int]) -> Iterator[VideoWriter]:
    """Open a video for writing, as a context manager.

    H.264 in yuv420p through PyAV when that is installed, else OpenCV's
    MPEG-4. Folders are made. Sizes that are odd are padded by one pixel.

        with open_video_writer('out.mp4', 25, frame.shape[:2]) as writer:
            writer.write(frame)

    Args:
        path: file name that ends in ``.mp4``; a file there is replaced.
        fps: frames a second.
        size: height and width of the frames.

    Yields:
        VideoWriter: with ``write(frame)``.

    Raises:
        ValueError: if the name, the rate or the size cannot be used.
        OSError: if the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != '.mp4':
        raise ValueError(f'cannot write the video {path}: choose a name that ends in .mp4')
    if not 0 < fps <= 1000:
        raise ValueError(
            f'cannot write the video {path}: fps is {fps}, choose a number above 0, up to 1000'
        )
    if min(size) < 1:
        raise ValueError(
            f'cannot write the video {path}: the size (height, width) is {tuple(size)}'
        )
    opener = PyAVWriter if _has_h264() else OpenCVWriter
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # the encoders find out late, or do not say why
        path.open('wb').close()
        writer = opener(path, fps, (int(size[0]), int(size[1])))
    except WRITE_ERRORS as error:
        raise _cannot_write(path, size, error) from error
    try:
        yield writer
    finally:
        writer.close()
