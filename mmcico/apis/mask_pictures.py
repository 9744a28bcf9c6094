"""Mask pictures that ``mmcico predict`` writes, and how it knows its own."""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmcico.utils.files import whole_file
from mmcico.visualization import track_colour

#: 255 means "void" in palette images of DAVIS and YouTube-VOS
LARGEST_INDEX = 254
#: text of PNG files that names the program
SOFTWARE = ('Software', 'mmcico')


@cache
def palette() -> list[int]:
    """Return RGB of each index: black, then the colours of tracks 0, 1, and so on."""
    return [0, 0, 0, *(value for track in range(255) for value in track_colour(track)[::-1])]


def write_mask_picture(path: Path, plane: np.ndarray) -> None:
    """Write (H, W) integers as a PNG with a palette, or in grey of 16 bits if one is above 254.

    Raises:
        ValueError: If one does not fit into 16 bits.
        OSError: If the file cannot be written.
    """
    written_by = PngInfo()
    written_by.add_text(*SOFTWARE)
    with whole_file(path) as file:
        _index_image(plane, path).save(file, format='PNG', pnginfo=written_by)


def _index_image(plane: np.ndarray, path: Path) -> Image.Image:
    """Return an image whose pixels have the values of an integer array."""
    if plane.max() > LARGEST_INDEX:
        if plane.max() > 0xFFFF:
            raise ValueError(
                f'{path}: track {plane.max() - 1} does not fit into a picture of 16 bits; write '
                'JSON instead'
            )
        return Image.fromarray(plane.astype(np.uint16))
    image = Image.fromarray(plane.astype(np.uint8))
    image.putpalette(palette())
    return image


def is_mask_picture(path: Path) -> bool:
    """Return whether a file is a picture of :func:`write_mask_picture`."""
    try:
        with Image.open(path) as image:
            if image.info.get(SOFTWARE[0]) == SOFTWARE[1]:
                return True
            # earlier versions left no text
            return image.mode == 'P' and image.getpalette() == palette()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
