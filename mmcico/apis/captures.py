"""Frames of video files, streams and cameras, read by OpenCV."""

import logging
import os
import os.path as osp
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from mmengine.logging import print_log

from mmcico.utils.files import is_unicode, without_secrets
from mmcico.utils.image_reading import check_pixels, usable_rate

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def open_capture(
    source: str | int, name: str, live: bool
) -> tuple[Iterator[np.ndarray], float | None, int | None]:
    """Open a video file, a stream or a camera.

    ``name`` is that of the video, for messages; the end of a ``live`` one may come at any time.

    Returns:
        tuple: Frames (H, W, 3) uint8 BGR, upright; frames per second and number of frames as
        stated, each None if unknown.

    Raises:
        ValueError: If it cannot be opened, or its frames are too large.
    """
    what = f'camera {source}' if isinstance(source, int) else without_secrets(source)
    if isinstance(source, int) or live:
        capture = cv2.VideoCapture(source)
    else:
        with _readable_name(source) as path:
            capture = cv2.VideoCapture(path)
    if not capture.isOpened():
        raise ValueError(
            f'{what} cannot be opened; is it a whole video that OpenCV reads, and not in use by '
            'another program?'
        )
    width, height = (capture.get(each) for each in (cv2.CAP_PROP_FRAME_WIDTH,
                                                     cv2.CAP_PROP_FRAME_HEIGHT))  # fmt: skip
    check_pixels(width, height, what)
    rate = usable_rate(capture.get(cv2.CAP_PROP_FPS))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    length = count if count > 0 and not live else None
    turn = None if isinstance(source, int) else _turn(capture)
    return read_capture(capture, name, length, live, rate, turn), rate, length


@contextmanager
def _readable_name(path: str) -> Iterator[str]:
    """Yield an absolute name that OpenCV can open.

    FFmpeg takes the part of a relative name before a colon for a protocol, and OpenCV crashes on
    names that are not Unicode, which are therefore opened through a link.
    """
    path = osp.abspath(path)
    if is_unicode(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        ending = osp.splitext(path)[1]
        link = osp.join(folder, 'video' + (ending if is_unicode(ending) else ''))
        os.symlink(path, link)
        yield link


def _turn(capture: cv2.VideoCapture) -> int | None:
    """Switch off OpenCV's own rotation, which some versions lack, and return what is needed."""
    if not capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0):
        return None
    return TURNS.get(round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360)


def read_capture(
    capture: cv2.VideoCapture,
    name: str,
    length: int | None,
    live: bool = False,
    fps: float | None = None,
    turn: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield frames until the source ends, and warn if that is before the stated ``length``.

    A damaged frame is replaced by the frame before it (by the next one at the start), so that later
    frames keep their numbers. Where frames are missing though no reading failed, nothing tells
    damage from a video of a variable rate, so that later frames move up. The source is released at
    the end, which may come at any time if it is ``live``. ``turn`` is the rotation that makes
    frames upright.
    """
    number, failures, lost, before = 0, 0, 0, 0.0
    last: np.ndarray | None = None
    damaged: list[int] = []
    jump = ''
    try:
        # a failure before the stated end is a damaged frame
        while failures == 0 or length is not None and number + failures < length:
            there, frame = capture.read()
            if not there:
                failures += 1
                continue
            frame = frame if turn is None else cv2.rotate(frame, turn)
            now = capture.get(cv2.CAP_PROP_POS_MSEC) if fps else 0.0
            # decoders may give frames from before the damage after it
            lost, failures = lost + failures, 0
            gap = round((now - before) * fps / 1000) - (number > 0) if fps and now else lost
            if lost:
                gap = min(max(gap, 0), (length or 0) - number - 1)
                damaged += range(number, number + gap)
                for _ in range(gap):
                    yield frame if last is None else last
                number, lost = number + gap, max(lost - gap, 0)
            elif gap > 0 and number > 0 and not jump:
                jump = (
                    f'; the first gap, after frame {number - 1}, is {gap} long, and later frames '
                    f'have lower numbers; "ffmpeg -i FILE -vf fps={fps:g} out.mp4" fills gaps'
                )
            number, last, before = number + 1, frame, now
            yield frame
    finally:
        capture.release()
    _warn(name, number, length, live, damaged, jump)


def _warn(
    name: str, number: int, length: int | None, live: bool, damaged: list[int], jump: str
) -> None:
    """Log what was not as stated."""
    lines = []
    if damaged:
        some = ', '.join(map(str, damaged[:10])) + ', ...' * (len(damaged) > 10)
        lines.append(
            f'{name}: {len(damaged)} damaged frames ({some}) were replaced by their neighbours; '
            'do not trust their results'
        )
    if live:
        lines.append(f'{name}: no more frames came after {number}')
    elif length is not None and number < length:
        lines.append(f'{name}: {number} of {length} frames could be read{jump}')
    for line in lines:
        print_log(line, logger='current', level=logging.WARNING)
