"""Run lengths of masks: read, checked, measured, encoded and decoded.

Compressed ``counts`` are a chain of numbers, five bits per character, lowest first; the sixth bit
says that one more follows. From the fourth on, a number is the difference to the run before the
last (the format of COCO). They are kept as bytes. pycocotools decodes only runs that were checked
here: it fills the memory or ends Python for others.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as mask_api

Size = tuple[int, int]

#: pixels of the largest mask, 32768 x 32768
MOST_PIXELS = 2**30
#: characters of the longest number of a sound mask
MOST_DIGITS = 7
#: texts that are measured at once; with more, numbers leave the cache
AT_ONCE = 500


class MaskInfo(NamedTuple):
    """Area and box of a mask.

    Attributes:
        size (tuple[int, int]): Height and width.
        area (int): Pixels of the object.
        box (tuple[float]): Tight ``(x1, y1, x2, y2)`` of its pixels, the end not included; zeros if
            it has none.
    """

    size: Size
    area: int
    box: tuple[float, float, float, float]


class TextInfo(NamedTuple):
    """Result of :func:`measure_texts`, one entry per text.

    Attributes:
        areas (np.ndarray): (N,) pixels of the object, 0 if not sound.
        sound (np.ndarray): (N,) whether the text is a mask of the size.
        plain (np.ndarray): (N,) whether no run but the first is 0.
    """

    areas: np.ndarray
    sound: np.ndarray
    plain: np.ndarray


def as_bytes(text: str | bytes) -> bytes:
    """Return compressed counts as bytes; other characters stay invalid."""
    return text.encode('ascii', 'xmlcharrefreplace') if isinstance(text, str) else text


def runs_of_text(text: str | bytes) -> np.ndarray:
    """Return the (R,) int64 run lengths of compressed counts, background and object in turns.

    Raises:
        ValueError: If the text is cut off, or has characters that no mask has.
    """
    chars = np.frombuffer(as_bytes(text), np.uint8) - np.uint8(48)
    if not len(chars):
        return np.zeros(0, np.int64)
    strange = np.flatnonzero(chars > 63)
    if len(strange):
        raise ValueError(f'counts have a character that no mask has, at position {strange[0]}')
    if chars[-1] >= 32:
        raise ValueError('counts are cut off')
    numbers, _, digits = _numbers(chars)
    if digits.max() > MOST_DIGITS:
        raise ValueError(f'counts have a number of more than {MOST_DIGITS * 5} bits')
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs


def _numbers(chars: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the signed numbers of a chain of characters, their ends and lengths."""
    ends = np.flatnonzero(chars < 32)
    digits = np.diff(ends, prepend=-1)
    # the last digit holds the sign: 16 to 31 stand for -16 to -1
    numbers = (chars[ends].astype(np.int64) ^ 16) - 16
    longer = np.flatnonzero(digits > 1)
    for place in range(1, MOST_DIGITS):
        if not len(longer):
            break
        lower = chars[ends[longer] - place] & 31
        numbers[longer] = (numbers[longer] << 5) | lower
        longer = longer[digits[longer] > place + 1]
    return numbers, ends, digits


def runs_of_list(counts: list) -> np.ndarray:
    """Return the (R,) int64 run lengths of uncompressed counts.

    Raises:
        ValueError: If an entry is no whole number.
    """
    if not counts:
        return np.zeros(0, np.int64)
    try:
        runs = np.asarray(counts)
    except (ValueError, OverflowError):  # a ragged list
        runs = np.asarray(None)
    if runs.ndim != 1 or runs.dtype.kind not in 'iu':
        raise ValueError('counts are neither a text nor a list of whole numbers')
    # numbers from 2 ** 63 on would turn negative
    return np.minimum(runs, 2 * MOST_PIXELS).astype(np.int64)


def check_runs(runs: np.ndarray, size: Size) -> None:
    """Check that runs fill a mask.

    Args:
        runs (np.ndarray): (R,) run lengths down the columns.
        size (tuple[int, int]): Height and width.

    Raises:
        ValueError: If a run is negative or too long, or the sum is not height x width.
    """
    for is_wrong, what in ((runs < 0, 'negative'), (runs > MOST_PIXELS, 'longer than any mask')):
        if is_wrong.any():
            raise ValueError(f'run no. {int(np.argmax(is_wrong))} is {what}')
    total = int(runs.sum())
    if total != size[0] * size[1]:
        raise ValueError(f'the runs have {total} pixels, height x width is {size[0] * size[1]}')


def compress_runs(runs: np.ndarray, size: Size) -> bytes:
    """Return checked runs as compressed counts, without runs of no pixel.

    pycocotools stops too early if two masks both have such a run.

    Args:
        runs (np.ndarray): (R,) run lengths that :func:`check_runs` accepts.
        size (tuple[int, int]): Height and width.
    """
    kept = runs > 0
    owners: np.ndarray = np.arange(len(runs))[kept] & 1
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    merged = np.add.reduceat(runs[kept], starts).tolist()
    if owners[0]:
        merged = [0, *merged]
    return mask_api.frPyObjects(dict(size=[*size], counts=merged), *size)['counts']


def mask_info(counts: str | bytes, size: Size) -> MaskInfo:
    """Return area and box of compressed counts.

    Raises:
        ValueError: If they are not those of a mask of this size.
    """
    runs = runs_of_text(counts)
    check_runs(runs, size)
    area = int(runs[1::2].sum())
    if not area:
        return MaskInfo(size, 0, (0.0, 0.0, 0.0, 0.0))
    text = as_bytes(counts) if (runs[1:] > 0).all() else compress_runs(runs, size)
    x, y, width, height = mask_api.toBbox(dict(size=[*size], counts=text)).tolist()
    return MaskInfo(size, area, (x, y, x + width, y + height))


def measure_texts(texts: Sequence[bytes], size: Size) -> TextInfo:
    """Check and measure many masks of one size at once.

    Args:
        texts (Sequence[bytes]): N compressed counts.
        size (tuple[int, int]): Height and width.
    """
    pixels = size[0] * size[1]
    parts = [_measure(texts[i : i + AT_ONCE], pixels) for i in range(0, len(texts), AT_ONCE)]
    if not parts:
        return TextInfo(np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, bool))
    return TextInfo(*(np.concatenate(each) for each in zip(*parts)))


def _measure(texts: Sequence[bytes], pixels: int) -> TextInfo:
    """Measure the texts that are complete chains of numbers; mark the others."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    chars = np.frombuffer(b''.join(texts), np.uint8) - np.uint8(48)
    stops = np.cumsum(lengths)
    whole = lengths > 0
    whole[whole] = chars[stops[whole] - 1] < 32
    ends = np.flatnonzero(chars < 32)
    long = ends[np.diff(ends, prepend=-1) > MOST_DIGITS]
    for wrong in (np.flatnonzero(chars > 63), long):
        whole[np.searchsorted(stops, wrong, 'right')] = False
    if whole.all():
        return _measure_whole(chars, stops, pixels)
    info = TextInfo(np.zeros(len(texts), np.int64), np.zeros(len(texts), bool), whole.copy())
    kept = np.flatnonzero(whole)
    if len(kept):
        found = _measure([texts[i] for i in kept.tolist()], pixels)
        info.areas[kept], info.sound[kept], info.plain[kept] = found
    return info


def _measure_whole(chars: np.ndarray, stops: np.ndarray, pixels: int) -> TextInfo:
    """Measure complete chains of numbers; none is empty."""
    numbers, ends, _ = _numbers(chars)
    last = np.searchsorted(ends, stops)
    first = np.concatenate([[0], last[:-1]])
    each = last - first
    is_odd = ((np.arange(len(numbers)) - np.repeat(first, each)) & 1).astype(bool)
    # runs are running sums of the odd places, and of the even ones after the first
    odd, even = (np.cumsum(np.where(own, numbers, 0)) for own in (is_odd, ~is_odd))
    runs = np.where(is_odd, odd - np.repeat(odd[first], each), even - np.repeat(even[first], each))
    runs[first] = numbers[first]
    is_wrong = np.logical_or.reduceat((runs < 0) | (runs > MOST_PIXELS), first)
    areas = np.add.reduceat(np.where(is_odd, runs, 0), first)
    sound = ~is_wrong & (np.add.reduceat(runs, first) == pixels)
    is_zero = runs == 0
    is_zero[first] = False
    plain = ~np.logical_or.reduceat(is_zero, first)
    return TextInfo(np.where(sound, areas, 0), sound, plain)


def encode_masks(masks: np.ndarray) -> list[bytes | None]:
    """Encode the masks of one frame.

    Args:
        masks (np.ndarray): (N, H, W) bool.

    Returns:
        list[bytes | None]: N compressed counts, None for an empty mask.
    """
    # pycocotools wants (H, W, N) in Fortran order
    planes = np.ascontiguousarray(masks.transpose(0, 2, 1), dtype=np.uint8)
    seen = np.asarray(masks.any(axis=(1, 2)))
    codes = mask_api.encode(planes.transpose(2, 1, 0))
    return [code['counts'] if one else None for code, one in zip(codes, seen)]


def decode_masks(counts: Sequence[bytes], height: int, width: int) -> np.ndarray:
    """Decode counts that a reader has checked.

    Args:
        counts (Sequence[bytes]): N compressed counts.
        height (int): Height in pixels.
        width (int): Width in pixels.

    Returns:
        np.ndarray: (N, height, width) uint8, 0 or 1, contiguous.
    """
    if not counts:
        return np.zeros((0, height, width), dtype=np.uint8)
    planes = mask_api.decode([dict(size=[height, width], counts=each) for each in counts])
    return np.ascontiguousarray(planes.transpose(2, 0, 1))


def as_json(counts: bytes | None, size: Size) -> dict[str, Any] | None:
    """Return a mask as annotation and results files hold it."""
    return None if counts is None else dict(size=[*size], counts=counts.decode('ascii'))
