"""Run-length coded masks: read in any form, measured without decoding.

A mask is kept as the text of its compressed ``counts``, column by column, as
COCO and YouTube-VIS write it; ``None`` stands for an absent object.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from mmcico.datasets.masks import draw_polygons
from mmcico.utils.short_repr import short_repr

Size = tuple[int, int]
AT_ONCE = 500  # masks; with more, numbers leave the cache


def encode_masks(masks: np.ndarray) -> list[str | None]:
    """Encode the masks of one frame.

    Args:
        masks (np.ndarray): (N, H, W) bool.

    Returns:
        list[str | None]: N texts, None for an empty mask.
    """
    # pycocotools wants (H, W, N) in Fortran order
    planes = np.ascontiguousarray(masks.transpose(0, 2, 1), dtype=np.uint8)
    seen = masks.any(axis=(1, 2))
    codes = mask_utils.encode(planes.transpose(2, 1, 0))
    return [code['counts'].decode('ascii') if one else None for code, one in zip(codes, seen)]


def read_mask(mask: Any, size: Size) -> str | None:
    """Read one entry of ``segmentations``.

    Args:
        mask (Any): None, RLE (compressed or not), or a list of polygons.
        size (tuple[int, int]): Height and width of the video.

    Returns:
        str | None: Text of the compressed counts, None for an absent object
        and for polygons that all have fewer than three corners.

    Raises:
        ValueError: If it is none of these or has another size.
    """
    if not mask:
        return None
    if isinstance(mask, list):
        code = draw_polygons(mask, *size, 'the mask')
        return code and code['counts'].decode('ascii')
    if not isinstance(mask, dict) or 'counts' not in mask:
        raise ValueError(
            f'{short_repr(mask)} is neither RLE (a dict with size and counts) '
            'nor a list of polygons nor null'
        )
    found = mask.get('size')
    if found != [*size] and (not isinstance(found, (list, tuple)) or [*found] != [*size]):
        raise ValueError(
            f'size {found} is not the size of the video, '
            f'[height, width] = {[*size]}; masks are needed at '
            'the original size'
        )
    counts = mask['counts']
    if isinstance(counts, str):
        return counts
    if isinstance(counts, bytes):
        return counts.decode('ascii')
    return compress_runs(counts, size)


def usual_masks(entries: list[Any], size: Size) -> list[str | None] | None:
    """Read the usual form quickly: compressed texts and null, nothing else.

    Args:
        entries (list): Of ``segmentations``.
        size (tuple[int, int]): Height and width of the video.

    Returns:
        list[str | None] | None: As ``read_mask`` reads each of them, None if
        one has another form or size.
    """
    wanted = [*size]
    try:
        seen = [each for each in entries if each is not None]
        if any(each['size'] != wanted for each in seen):
            return None
        ''.join([each['counts'] for each in seen])  # fails unless all texts
        return [each and each['counts'] for each in entries]
    except (KeyError, TypeError):
        return None


def compress_runs(counts: Any, size: Size) -> str:
    """Compress a list of run lengths.

    Args:
        counts (Any): Whole numbers; anything else is an error.
        size (tuple[int, int]): Height and width of the mask.

    Returns:
        str: Compressed counts.

    Raises:
        ValueError: If the runs do not make up such a mask.
    """
    try:
        runs = np.asarray(counts)
        usable = runs.ndim == 1 and runs.dtype.kind in 'iu'
    except ValueError:  # a ragged list
        usable = False
    if not usable:
        raise ValueError(
            f'counts {short_repr(counts)} are neither a text nor a list of whole numbers'
        )
    if (runs < 0).any() or int(runs.sum()) != size[0] * size[1]:
        raise ValueError(
            f'counts describe {int(runs.sum())} pixels instead of height x '
            f'width = {size[0] * size[1]}, or have negative runs'
        )
    code = mask_utils.frPyObjects({'size': [*size], 'counts': runs.tolist()}, *size)
    return code['counts'].decode('ascii')


def measure(counts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Areas and total sizes of masks, straight from their texts.

    A text is a chain of numbers of five bits a character; from the third on,
    even and odd runs hold the difference to the run before the last. The sum
    of the runs is therefore a weighted sum of the numbers in the text.

    Args:
        counts (Sequence[str]): N compressed counts.

    Returns:
        tuple[np.ndarray, np.ndarray]: (N,) pixels of the object and (N,)
        pixels of the whole mask, -1 where the text is broken.
    """
    if len(counts) > AT_ONCE:
        parts = [measure(counts[i : i + AT_ONCE]) for i in range(0, len(counts), AT_ONCE)]
        areas, sizes = zip(*parts)
        return np.concatenate(areas), np.concatenate(sizes)
    lengths = np.fromiter(map(len, counts), np.int64, len(counts))
    text = ''.join(counts)
    if not text.isascii():
        text = ''.join(char if char.isascii() else ' ' for char in text)
    # anything below '0' becomes large
    chars = np.frombuffer(text.encode('ascii'), np.uint8) - np.uint8(48)
    stops = np.cumsum(lengths)
    is_broken = lengths == 0
    filled = ~is_broken
    # a character with the sixth bit promises one more
    is_broken[filled] = chars[stops[filled] - 1] & 32 > 0
    is_broken[np.searchsorted(stops, np.flatnonzero(chars > 63), 'right')] = 1
    if not is_broken.any():
        return _sum_runs(chars, stops)
    areas = np.zeros(len(counts), np.int64)
    sizes = np.full(len(counts), -1)
    whole = np.flatnonzero(~is_broken)
    areas[whole], sizes[whole] = measure([counts[i] for i in whole])
    return areas, sizes


def _sum_runs(chars: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the odd runs and of all runs of each text.

    Args:
        chars (np.ndarray): All characters of all N texts, less 48.
        stops (np.ndarray): (N,) where each text ends; none is empty.

    Returns:
        tuple[np.ndarray, np.ndarray]: (N,) and (N,).
    """
    if not len(stops):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    numbers, ends = _numbers(chars)
    last = np.searchsorted(ends, stops)
    first = np.concatenate([[0], last[:-1]])
    each = (last - first).astype(np.int32)
    # how many numbers come from its own on, itself included
    left = np.repeat(each, each)
    is_odd = left & 1
    left -= np.arange(len(numbers), dtype=np.int32)
    left += np.repeat(first.astype(np.int32), each)
    is_odd ^= left & 1
    # how many runs a number is a part of: the first has no difference to it
    parts = (left + 1) >> 1
    parts[first] = 1
    numbers = numbers * parts
    return (np.add.reduceat(numbers * is_odd, first), np.add.reduceat(numbers, first))


def _numbers(chars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed numbers of a chain of characters and where each one ends."""
    ends = np.flatnonzero(chars < 32)
    digits = np.diff(ends, prepend=-1)
    # the last digit holds the sign: 16..31 stand for -16..-1
    numbers = (chars[ends] ^ 16).astype(np.int64) - 16
    # two digits are common, more are not
    lower = chars[ends - 1] & 31
    numbers = np.where(digits > 1, (numbers << 5) | lower, numbers)
    longer = np.flatnonzero(digits > 2)
    # 7 digits are enough for any mask; more come from broken texts only
    for place in range(2, 7):
        lower = chars[ends[longer] - place] & 31
        numbers[longer] = (numbers[longer] << 5) | lower
        longer = longer[digits[longer] > place + 1]
    return numbers, ends


def frame_overlap(
    first: Sequence[str], second: Sequence[str], size: Size, first_areas: np.ndarray
) -> np.ndarray:
    """Pixels in common of all pairs of masks of one frame.

    pycocotools gives, against a crowd, the intersection over the area of the
    first mask; that times the area is the intersection again, exactly, as
    long as both are below 2 ** 52.

    Args:
        first (Sequence[str]): D compressed counts.
        second (Sequence[str]): G compressed counts.
        size (tuple[int, int]): Height and width.
        first_areas (np.ndarray): (D,) pixels of the first masks.

    Returns:
        np.ndarray: (D, G) float whole numbers.
    """
    share = mask_utils.iou(
        [{'size': size, 'counts': text} for text in first],
        [{'size': size, 'counts': text} for text in second],
        [1] * len(second),
    )
    return np.rint(share * first_areas[:, None])
