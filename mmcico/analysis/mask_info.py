"""Masks of annotation files in any form, with everything wrong in them."""

import math
from typing import Any

from mmcico.datasets.masks import LEAST_NUMBERS, draw_polygons
from mmcico.datasets.run_lengths import MaskInfo, measure_runs, runs_of_list, runs_of_text

from .values import is_number, is_whole, short

Size = tuple[int, int]

#: pixels that a corner of a polygon may lie outside the frame
POLYGON_SLACK = 1


def mask_size(mask: Any) -> Size | None:
    """The size that RLE says it has, None if it says none.

    >>> mask_size({'size': [3, 4], 'counts': '<'})
    (3, 4)
    """
    size = mask.get('size') if isinstance(mask, dict) else None
    if (
        isinstance(size, (list, tuple))
        and len(size) == 2
        and all(is_whole(side) and side > 0 for side in size)
    ):
        return int(size[0]), int(size[1])
    return None


def read_mask_info(mask: Any, size: Size | None) -> MaskInfo | None:
    """Measure one entry of ``segmentations``.

    Args:
        mask (Any): Nothing, RLE (compressed or not) or a list of polygons.
        size (tuple[int, int], optional): Height and width of the video;
            None if that is not known, then RLE has its own.

    Returns:
        MaskInfo | None: None for nothing, or polygons without a known size.

    Raises:
        ValueError: What is wrong with it, with ``kind`` ``'size'`` or
            ``'mask'`` as second argument.
    """
    if not mask:
        return None
    if isinstance(mask, list):
        return _polygons(mask, size)
    if not isinstance(mask, dict) or not {'size', 'counts'} <= set(mask):
        raise ValueError(
            'is neither RLE (an object with size and counts) nor a list of polygons nor null',
            'mask',
        )
    own = mask_size(mask)
    if own is None or (size is not None and own != size):
        raise ValueError(_size_message(mask, own, size), 'size')
    counts = mask['counts']
    try:
        if isinstance(counts, (str, bytes)):
            return measure_runs(runs_of_text(counts), own)
        if isinstance(counts, list):
            return measure_runs(runs_of_list(counts), own)
    except ValueError as error:
        raise ValueError(str(error), 'mask') from error
    raise ValueError(
        f'counts are {short(counts)}, neither a text nor a list of whole numbers', 'mask'
    )


def _size_message(mask: dict, own: Size | None, size: Size | None) -> str:
    if own is None:
        return f'size is {short(mask["size"])}, not [height, width] as whole numbers above 0'
    message = f'size is {[*own]}, that of the video {[*size]} (height, width)'
    return message + ('; the two numbers are swapped' if own == size[::-1] else '')


def _polygons(polygons: list[Any], size: Size | None) -> MaskInfo | None:
    """Draw polygons ``[x, y, x, y, ...]`` as one mask."""
    for number, polygon in enumerate(polygons):
        if not isinstance(polygon, list) or len(polygon) % 2 or not all(map(is_number, polygon)):
            raise ValueError(
                f'polygon no. {number} is {short(polygon)}, not a list of '
                'corners [x, y, x, y, x, y, ...]',
                'mask',
            )
        if size is not None and polygon:
            _check_inside(polygon, number, size)
    if size is None:
        return None
    code = draw_polygons(polygons, *size, 'the mask')
    if code is None:
        return MaskInfo(size, 0, (0.0, 0.0, 0.0, 0.0))
    return measure_runs(runs_of_text(code['counts']), size)


def thin_polygons(mask: Any) -> dict[int, int]:
    """Position -> corners of the polygons of a mask that cover nothing.

    Args:
        mask (Any): That ``read_mask_info`` can read.

    >>> thin_polygons([[0, 0, 4, 0, 4, 4], [1, 1, 2, 2], []])
    {1: 2, 2: 0}
    """
    polygons = mask if isinstance(mask, list) else []
    return {
        number: len(polygon) // 2
        for number, polygon in enumerate(polygons)
        if len(polygon) < LEAST_NUMBERS
    }


def _check_inside(polygon: list[float], number: int, size: Size) -> None:
    """Also keeps pycocotools from drawing lines without end."""
    for values, side, name in ((polygon[0::2], size[1], 'x'), (polygon[1::2], size[0], 'y')):
        low, high = min(values), max(values)
        worst = low if low < -POLYGON_SLACK else high
        if low < -POLYGON_SLACK or high > side + POLYGON_SLACK:
            raise ValueError(
                f'polygon no. {number} has {name} = {worst:g}, outside 0 to {side}', 'mask'
            )


def area_matches(stated: float, found: int, drawn: bool) -> bool:
    """Whether a stated area is that of the mask.

    Polygons have another area as numbers than as pixels, so that more is
    allowed for them: a tenth, or four pixels.

    Args:
        stated (float): Of the file, pixels.
        found (int): Of the mask, pixels.
        drawn (bool): The mask was drawn from polygons.

    >>> area_matches(100.4, 100, False), area_matches(102, 100, False)
    (True, False)
    """
    slack = max(4.0, 0.1 * found) if drawn else 0.5
    return math.fabs(stated - found) <= slack
