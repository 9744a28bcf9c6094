"""Which files are images, and their sizes from their headers alone."""

from pathlib import Path
from typing import Any

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
#: Exif field "orientation", and its values that swap height and width
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)


def image_library() -> Any:
    """Pillow's module ``Image``.

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
    """(height, width) as the image is shown, from its header.

    Raises:
        OSError: If there is no such file or no image in it.
        ValueError: If Pillow is not installed.
    """
    with image_library().open(path) as image:
        width, height = image.size
        is_turned = image.getexif().get(ORIENTATION) in TURNED
    return (width, height) if is_turned else (height, width)
