"""Run lengths of masks: read, checked and measured without decoding."""

from typing import Any, NamedTuple

import numpy as np

#: digits of the longest number of a sound mask, five bits each
MOST_DIGITS = 7

Box = tuple[float, float, float, float]


class MaskInfo(NamedTuple):
    """What is known of one mask.

    Attributes:
        size (tuple[int, int]): Height and width.
        area (int): Pixels of the object.
        box (tuple[float]): Tight ``(x1, y1, x2, y2)`` of its pixels, the end
            not included; zeros if it has none.
    """

    size: tuple[int, int]
    area: int
    box: Box


def runs_of_text(text: Any) -> np.ndarray:
    """Run lengths of compressed ``counts``.

    A text is a chain of numbers, five bits a character, lowest first; the
    sixth bit says that one more follows. From the fourth on, a number is the
    difference to the run before the last (the format of COCO).

    Args:
        text (str | bytes): Compressed counts.

    Returns:
        np.ndarray: (R,) int64, background and object in turns.

    Raises:
        ValueError: If it is cut off, or has characters of its own.
    """
    if isinstance(text, str):
        text = text.encode('utf-8')
    chars = np.frombuffer(text, np.uint8) - np.uint8(48)
    if not len(chars):
        return np.zeros(0, np.int64)
    strange = np.flatnonzero(chars > 63)
    if len(strange):
        raise ValueError(f'counts have a character that no mask has, at position {strange[0]}')
    ends = np.flatnonzero(chars < 32)
    if not len(ends) or ends[-1] != len(chars) - 1:
        raise ValueError('counts are cut off')
    digits = np.diff(ends, prepend=-1)
    if digits.max() > MOST_DIGITS:
        raise ValueError(f'counts have a number of more than {MOST_DIGITS * 5} bits')
    starts = ends - digits + 1
    place = np.arange(len(chars)) - np.repeat(starts, digits)
    parts = (chars & 31).astype(np.int64) << 5 * place
    numbers = np.add.reduceat(parts, starts)
    is_negative = (chars[ends] & 16) > 0
    numbers -= is_negative.astype(np.int64) << 5 * digits
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs


def runs_of_list(counts: list) -> np.ndarray:
    """Run lengths of uncompressed ``counts``.

    Args:
        counts (list): Whole numbers.

    Returns:
        np.ndarray: (R,) int64.

    Raises:
        ValueError: If an entry is no whole number.
    """
    if not counts:
        return np.zeros(0, np.int64)
    try:
        runs = np.asarray(counts)
    except ValueError:  # a ragged list
        runs = np.asarray(None)
    if runs.ndim != 1 or runs.dtype.kind not in 'iu':
        raise ValueError('counts are neither a text nor a list of whole numbers')
    return runs.astype(np.int64)


def measure_runs(runs: np.ndarray, size: tuple[int, int]) -> MaskInfo:
    """Area and box of a mask.

    Args:
        runs (np.ndarray): (R,) run lengths down the columns.
        size (tuple[int, int]): Height and width.

    Returns:
        MaskInfo: Of the mask.

    Raises:
        ValueError: If the runs are not those of a mask of this size.
    """
    height, width = size
    if (runs < 0).any():
        raise ValueError(f'run no. {int(np.argmax(runs < 0))} is negative')
    total = int(runs.sum())
    if total != height * width:
        raise ValueError(f'the runs have {total} pixels, height x width is {height * width}')
    stops = np.cumsum(runs)[1::2]
    starts = stops - runs[1::2]
    filled = stops > starts
    starts, stops = starts[filled], stops[filled] - 1
    if not len(starts):
        return MaskInfo(size, 0, (0.0, 0.0, 0.0, 0.0))
    columns = starts // height, stops // height
    top, bottom = starts % height, stops % height
    if (columns[0] != columns[1]).any():
        # a run that goes on in the next column holds the last and first row
        top, bottom = np.zeros(1), np.full(1, height - 1)
    box = (columns[0][0], top.min(), columns[1][-1] + 1, bottom.max() + 1)
    area = int((stops - starts + 1).sum())
    return MaskInfo(size, area, tuple(float(side) for side in box))
