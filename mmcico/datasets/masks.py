"""Masks of annotation files: checked, compressed and decoded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as mask_api

from .run_lengths import measure_runs, runs_of_list, runs_of_text

#: numbers of a polygon that covers something: three corners
LEAST_NUMBERS = 6


def compress_mask(segmentation: Any, height: int, width: int, where: str) -> bytes | None:
    """Compressed RLE counts of a mask in any form that files use.

    Args:
        segmentation (dict | list | None): Compressed or uncompressed RLE,
            polygons, or nothing.
        height (int): Of the frame, pixels.
        width (int): Of the frame, pixels.
        where (str): File, video, frame, object and field, for messages.

    Returns:
        bytes | None: None if the mask has no pixel.

    Raises:
        ValueError: If it is none of these, or of another size.
    """
    if not segmentation:
        return None
    if isinstance(segmentation, list):
        rle = draw_polygons(segmentation, height, width, where)
    else:
        rle = _from_rle(segmentation, height, width, where)
    return rle['counts'] if rle and mask_api.area(rle) > 0 else None


def draw_polygons(polygons: list, height: int, width: int, where: str) -> dict | None:
    """Polygons as one mask; the rule for all readers of files.

    Polygons of fewer than three corners cover nothing and are left out;
    pycocotools would take two corners for a box.

    Args:
        polygons (list): Of ``[x1, y1, x2, y2, ...]``.
        height (int): Of the frame, pixels.
        width (int): Of the frame, pixels.
        where (str): File, frame, object and field, for messages.

    Returns:
        dict | None: Compressed RLE, None if no polygon has three corners.

    Raises:
        ValueError: See :func:`check_polygon`.
    """
    for polygon in polygons:
        check_polygon(polygon, height, width, where)
    corners = [each for each in polygons if len(each) >= LEAST_NUMBERS]
    if not corners:
        return None
    return mask_api.merge(mask_api.frPyObjects(corners, height, width))


def check_polygon(polygon: Any, height: int, width: int, where: str) -> None:
    """Refuse what is no polygon, or leaves the frame by more than its size.

    pycocotools takes all memory, or ends Python, for corners far away.

    Args:
        polygon (list): ``[x1, y1, x2, y2, ...]``.
        height (int): Of the frame, pixels.
        width (int): Of the frame, pixels.
        where (str): File, frame, object and field, for messages.

    Raises:
        ValueError: Showing the polygon.
    """
    if (
        not isinstance(polygon, list)
        or len(polygon) % 2
        or not all(isinstance(value, (int, float)) for value in polygon)
    ):
        raise ValueError(
            f'{where}: {str(polygon)[:40]} is no polygon; a mask '
            'is a list of polygons [x1, y1, x2, y2, ...]'
        )
    for values, side in ((polygon[::2], width), (polygon[1::2], height)):
        if not all(-side <= value <= 2 * side for value in values):
            raise ValueError(
                f'{where}: polygon {str(polygon)[:40]} is far outside the '
                f'frame of {height} x {width} (height x width)'
            )


def _from_rle(segmentation: Any, height: int, width: int, where: str) -> dict:
    """RLE whose runs fill the frame exactly.

    pycocotools would decode too few runs to whatever the memory holds.
    """
    if not isinstance(segmentation, dict) or not {'size', 'counts'} <= set(segmentation):
        raise ValueError(
            f'{where}: {str(segmentation)[:40]!r} is neither '
            "RLE with 'size' and 'counts' nor polygons"
        )
    size, counts = segmentation['size'], segmentation['counts']
    if not isinstance(size, (list, tuple)) or list(size) != [height, width]:
        raise ValueError(
            f'{where}: the mask has size {size}, the frame {[height, width]} (height, width)'
        )
    if not isinstance(counts, (list, str, bytes)):
        raise ValueError(f"{where}: 'counts' is a {type(counts).__name__}, not a list or string")
    is_list = isinstance(counts, list)
    try:
        runs = runs_of_list(counts) if is_list else runs_of_text(counts)
        measure_runs(runs, (height, width))
    except ValueError as error:
        raise ValueError(f'{where}: the mask is broken: {error}') from error
    if is_list:
        return mask_api.frPyObjects(dict(size=[height, width], counts=runs.tolist()), height, width)
    if isinstance(counts, str):
        counts = counts.encode()
    return dict(size=[height, width], counts=counts)


def decode_masks(counts: Sequence[bytes], height: int, width: int) -> np.ndarray:
    """(n, height, width) uint8 masks.

    Args:
        counts (Sequence[bytes]): Compressed RLE counts.
        height (int): Of the frame, pixels.
        width (int): Of the frame, pixels.

    Returns:
        np.ndarray: 0 or 1, contiguous.

    Raises:
        ValueError: If counts do not fit the size.
    """
    if not counts:
        return np.zeros((0, height, width), dtype=np.uint8)
    rles: list[dict] = [dict(size=[height, width], counts=c) for c in counts]
    planes = mask_api.decode(rles)
    return np.ascontiguousarray(planes.transpose(2, 0, 1))
