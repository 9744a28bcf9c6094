"""Image files: their names, sizes and pixels, with limits on their size and readable errors."""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
#: Exif field "orientation", and its values that swap height and width
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)
#: larger images are refused before they are decoded; as BGR they take 300 MB
MAX_PIXELS = 100_000_000
#: kinds of files that are not regular ones
SPECIAL = {stat.S_IFIFO: 'pipe (FIFO)', stat.S_IFSOCK: 'socket', stat.S_IFDIR: 'folder'}
JPEG_QUALITY = 95
#: pages whose durations tell the speed of an animation
RATE_PAGES = 50
#: frames per second that video files can have
LEAST_FPS, MOST_FPS = 0.01, 1000.0


def image_library() -> Any:
    """Return Pillow's module ``Image``.

    Raises:
        ValueError: If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ValueError(
            'sizes of images are read by Pillow, which is not installed: pip install pillow'
        ) from error
    return Image


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of an image as :func:`read_image` gives it, mostly from its header.

    Raises:
        OSError: If there is no such file or no image in it.
        ValueError: If Pillow is not installed.
    """
    with image_library().open(path) as image:
        width, height = image.size
        # Pillow turns TIFF by itself
        is_turned = image.format != 'TIFF' and image.getexif().get(ORIENTATION) in TURNED
        if is_turned and image.format == 'WEBP':  # OpenCV turns it since version 5
            height, width = read_image(path).shape[:2]
            return height, width
    return (width, height) if is_turned else (height, width)


def check_pixels(width: float, height: float, where: str | Path) -> None:
    """Check that a picture is not too large to be decoded.

    Raises:
        ValueError: If it has more than :data:`MAX_PIXELS` pixels.
    """
    if width * height > MAX_PIXELS:
        raise ValueError(
            f'{where} has {width:.0f} x {height:.0f} pixels (width x height), more than '
            f'{MAX_PIXELS:,}; make it smaller'
        )


def file_content(path: str | Path, size: int = -1) -> bytes:
    """Return the bytes of a regular, non-empty file, the first ``size`` of them if that is given.

    Raises:
        ValueError: If it is missing, empty, unreadable, or a pipe, socket, device or folder.
    """
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
        if kind != stat.S_IFREG:
            raise ValueError(
                f'{path} is a {SPECIAL.get(kind, "device")}, not a regular file that can be read'
            )
        with open(path, 'rb') as file:
            content = file.read(size)
    except FileNotFoundError:
        raise ValueError(f'"{path}" does not exist') from None
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror}') from error
    if not content:
        raise ValueError(f'{path} is an empty file (0 bytes)')
    return content


def open_image(source: str | Path | BytesIO, where: str | None = None) -> Any:
    """Return a Pillow image, not yet decoded; ``where`` begins messages in place of the path.

    Raises:
        ValueError: If the file is not an image, or one of too many pixels.
    """
    library, where = image_library(), where or str(source)
    try:
        with warnings.catch_warnings():
            # Pillow's own limit is a warning at first
            warnings.simplefilter('ignore', library.DecompressionBombWarning)
            image = library.open(source)
    except library.DecompressionBombError:
        raise ValueError(f'{where} has more than {MAX_PIXELS:,} pixels; make it smaller') from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f'{where} is not a readable image') from error
    check_pixels(image.width, image.height, where)
    return image


def decoded_image(source: Path | bytes, where: str) -> Any:
    """Return a Pillow image with the values of its pixels as stored, from a file or its content.

    Raises:
        ValueError: If it is missing, is not an image, is broken or has too many pixels; ``where``
            begins the message.
    """
    content = source if isinstance(source, bytes) else file_content(source)
    image = open_image(BytesIO(content), where)
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise ValueError(f'{where} cannot be read: {error}') from error
    return image


def read_image(path: str | Path) -> np.ndarray:
    """Return an image as (H, W, 3) uint8 BGR, turned as its Exif field says.

    Raises:
        ValueError: If the file is missing, is not an image, or has too many pixels.
    """
    import cv2  # sizes of images are read without it

    image = _decoded(path, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f'{path} is not a readable image')
    return image


def brightest_of_16_bits(path: str | Path) -> int:
    """Return the largest value of an image of 16 bits a channel, 0 for other images.

    Raises:
        ValueError: If the file is missing, is not an image, or has too many pixels.
    """
    import cv2

    image = _decoded(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return int(image.max()) if image is not None and image.dtype == np.uint16 else 0


def _decoded(path: str | Path, flags: int) -> np.ndarray | None:
    import cv2

    content = file_content(path)
    open_image(path).close()
    # on Windows, imread does not open names that are not ASCII
    return cv2.imdecode(np.frombuffer(content, np.uint8), flags)


def write_jpeg(path: Path, image: np.ndarray, quality: int = JPEG_QUALITY) -> None:
    """Write a frame of a data set, (H, W, 3) uint8 BGR; its folder is created.

    Raises:
        OSError: If it cannot be written.
    """
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, quality]):
        raise OSError(f'{path}: the frame cannot be written; is the disk full?')


def num_pages(path: str | Path) -> int:
    """Return the number of pages of an image file: above 1 for stacks and animations.

    Further pictures of a photo (Multi-Picture Format), such as its preview, do not count, and
    neither does the picture that stands for an animated PNG where animations are not shown.
    """
    with open_image(path) as image:
        return 1 if image.format == 'MPO' else len(_page_numbers(image))


def _page_numbers(image: Any) -> range:
    """Return the numbers of the pages of a Pillow image, without one that stands for the others."""
    return range(getattr(image, 'default_image', False), getattr(image, 'n_frames', 1))


def usable_rate(fps: float) -> float | None:
    """Return frames per second that a file states, None if they are not from 0.01 to 1000."""
    return fps if LEAST_FPS <= fps <= MOST_FPS else None


def page_rate(path: str | Path) -> float | None:
    """Return the mean pages a second of an animation, over the pages that have a duration.

    None if its first page has no duration, or the rate is not one of a video.
    """
    durations: list[float] = []
    with suppress(ValueError):  # whoever reads the pages is told of broken ones
        for page, _ in islice(_pages(path), RATE_PAGES):
            durations.append(page.info.get('duration', 0))
            if not durations[0]:
                return None
    stated = [each for each in durations if each]
    return usable_rate(1000 * len(stated) / sum(stated)) if stated else None


def read_pages(path: str | Path) -> Iterator[np.ndarray]:
    """Yield the pages of a stack or an animation, (H, W, 3) uint8 BGR.

    16-bit pages lose their lower byte, as in :func:`read_image`.

    Raises:
        ValueError: If a page is broken, or has floating point or 32-bit pixels.
    """
    for page, where in _pages(path):
        yield _bgr(page, where)


def _pages(path: str | Path) -> Iterator[tuple[Any, str]]:
    """Yield an image file at each of its pages, decoded, with the name of the page."""
    with open_image(path) as image:
        for number in _page_numbers(image):
            where = f'{path}: page {number}'
            try:
                image.seek(number)
                check_pixels(image.width, image.height, where)
                image.load()  # WebP has the duration of a page only now
            except (OSError, EOFError, SyntaxError) as error:
                raise ValueError(f'{where} cannot be read: {error}') from error
            yield image, where


def _bgr(page: Any, where: str) -> np.ndarray:
    if page.mode.startswith('I;16'):
        grey = (np.asarray(page) >> 8).astype(np.uint8)
        return np.dstack([grey] * 3)
    if page.mode in ('I', 'F'):
        raise ValueError(f'{where} has pixels of 32 bits; convert the pages to 8 or 16 bits')
    return np.ascontiguousarray(np.asarray(page.convert('RGB'))[..., ::-1])
