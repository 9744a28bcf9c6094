"""Masks of files in any form: RLE, compressed or not, and polygons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycocotools import mask as mask_api

from .problems import Place, Problems, short
from .rle import (
    Size,
    as_bytes,
    check_runs,
    compress_runs,
    mask_info,
    measure_texts,
    runs_of_list,
    runs_of_text,
)

#: numbers of a polygon that covers something: three corners
LEAST_NUMBERS = 6
#: pixels by which a corner may lie outside the frame without a report
POLYGON_SLACK = 1
#: pixels along the outline of a polygon; pycocotools keeps several numbers for each
LONGEST_OUTLINE = 2**21


@dataclass
class FrameMasks:
    """Masks of one track.

    Attributes:
        counts (list[bytes | None]): Compressed counts of each frame, None for a frame in which
            nothing is seen.
        pixels (list[int]): Area in each frame.
        drawn (set[int]): Frames with polygons.
        blank (set[int]): Frames whose mask has no pixel.
        broken (set[int]): Frames whose mask cannot be read.
    """

    counts: list[bytes | None]
    pixels: list[int]
    drawn: set[int] = field(default_factory=set)
    blank: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)


def read_masks(
    tracks: Sequence[Sequence[Any]],
    size: Size,
    where: Callable[[int, int], Place],
    problems: Problems,
) -> list[FrameMasks]:
    """Read and check the ``segmentations`` of all tracks of a video at once, which is fast.

    ``size`` is the height and width of the video; ``where`` returns the place of the mask of a
    track in a frame.
    """
    found = [FrameMasks([None] * len(masks), [0] * len(masks)) for masks in tracks]
    cells: list[tuple[int, int]] = []
    texts: list[bytes] = []
    wanted = [*size]
    for row, masks in enumerate(tracks):
        for frame, mask in enumerate(masks):
            if not mask:
                continue
            is_plain = type(mask) is dict and mask.get('size') == wanted
            text = mask.get('counts') if is_plain else None
            if type(text) is not str:
                text = _other_form(mask, size, where(row, frame), problems, found[row], frame)
            if text is not None:
                cells.append((row, frame))
                texts.append(as_bytes(text))
    info = measure_texts(texts, size)
    sound, plain, areas = info.sound.tolist(), info.plain.tolist(), info.areas.tolist()
    for i, (row, frame) in enumerate(cells):
        into, text = found[row], texts[i]
        if not sound[i]:
            into.broken.add(frame)
            problems.error('mask', _fault(text, size), where(row, frame))
        elif not areas[i]:
            into.blank.add(frame)
        else:
            into.pixels[frame] = areas[i]
            into.counts[frame] = text if plain[i] else compress_runs(runs_of_text(text), size)
    return found


def read_mask(mask: Any, size: Size, place: Place, problems: Problems) -> bytes | None:
    """Return the compressed counts of one mask in any form, None if there is no pixel."""
    return read_masks([[mask]], size, lambda row, frame: place, problems)[0].counts[0]


def _other_form(
    mask: Any, size: Size, place: Place, problems: Problems, into: FrameMasks, frame: int
) -> bytes | None:
    """Return compressed counts of any other form; record in ``into`` why there are none."""
    number = len(problems.found)
    if isinstance(mask, list):
        into.drawn.add(frame)
        counts = draw_polygons(mask, size, place, problems)
    else:
        counts = read_rle(mask, size, place, problems)
    if counts is None:
        is_refused = any(each.refused for each in problems.found[number:])
        (into.broken if is_refused else into.blank).add(frame)
    return counts


def _fault(text: bytes, size: Size) -> str:
    """Return the reason why a text is no mask of this size."""
    try:
        mask_info(text, size)
    except ValueError as error:
        return f'the mask is broken: {error}'
    return 'the mask is broken'


def read_rle(mask: Any, size: Size, place: Place, problems: Problems) -> bytes | None:
    """Return RLE of any form as compressed counts, None after an error.

    Counts that are texts are not checked yet.
    """
    if not isinstance(mask, dict) or not {'size', 'counts'} <= set(mask):
        message = 'is neither RLE (an object with size and counts) nor a list of polygons nor null'
        problems.error('mask', message, place, mask)
        return None
    found, counts = mask['size'], mask['counts']
    if not isinstance(found, (list, tuple)) or [*found] != [*size]:
        message = f'the mask has size {short(found)}, the video {[*size]} (height, width); '
        is_swapped = isinstance(found, (list, tuple)) and [*found] == [*size[::-1]]
        hint = (
            'the two numbers are swapped' if is_swapped else 'masks are needed at the original size'
        )
        problems.error('size', message + hint, place)
    elif isinstance(counts, (str, bytes)):
        return as_bytes(counts)
    elif not isinstance(counts, list):
        text = f'counts are {short(counts)}, neither a text nor a list of whole numbers'
        problems.error('mask', text, place)
    else:
        try:
            runs = runs_of_list(counts)
            check_runs(runs, size)
            return compress_runs(runs, size)
        except ValueError as error:
            problems.error('mask', f'the mask is broken: {error}', place)
    return None


def draw_polygons(polygons: list, size: Size, place: Place, problems: Problems) -> bytes | None:
    """Draw polygons ``[x1, y1, x2, y2, ...]`` as one mask, by the same rule for all files.

    Polygons of fewer than three corners cover nothing and are left out; pycocotools would take two
    corners for a box. Returns compressed counts; None after an error, and if no polygon has three
    corners.
    """
    drawn = []
    for number, polygon in enumerate(polygons):
        message = _polygon_fault(polygon, number, size)
        if message:
            problems.error('mask', message, place)
            return None
        if len(polygon) >= LEAST_NUMBERS:
            drawn.append(polygon)
            _report_corners_outside(polygon, number, size, place, problems)
            continue
        problems.leave_out('polygons of fewer than three corners')
        problems.warn(
            'mask',
            f'polygon no. {number} has {len(polygon) // 2} corners; fewer than three cover '
            'nothing, so it is left out. Other tools may take two corners for a box: remove '
            'the polygon',
            place,
        )
    if drawn and all(0 <= each <= 1 for polygon in drawn for each in polygon):
        problems.warn(
            'mask',
            'all coordinates lie between 0 and 1; they are taken for pixels. If they are shares of '
            'the frame, multiply them by its width and height',
            place,
        )
    return mask_api.merge(mask_api.frPyObjects(drawn, *size))['counts'] if drawn else None


def draw_shape(corners: list, size: Size, place: Place, problems: Problems) -> bytes | None:
    """Draw a polygon of a drawing tool; None, and a count, if it covers no pixel."""
    counts = draw_polygons([corners], size, place, problems)
    if counts is None or mask_info(counts, size).area:
        return counts
    problems.leave_out('polygons without a pixel')
    return None


def _polygon_fault(polygon: Any, number: int, size: Size) -> str:
    """Return the reason why a polygon cannot be drawn, '' if it can.

    pycocotools fills the memory, or ends Python, for corners far away.
    """
    if (
        not isinstance(polygon, list)
        or len(polygon) % 2
        or any(not isinstance(each, (int, float)) or isinstance(each, bool) for each in polygon)
    ):
        return (
            f'polygon no. {number} is {short(polygon)}, which is no polygon; a mask is a list of '
            'polygons [x1, y1, x2, y2, ...]'
        )
    points = list(zip(polygon[::2], polygon[1::2]))
    height, width = size
    if not all(-width <= x <= 2 * width and -height <= y <= 2 * height for x, y in points):
        return (
            f'polygon no. {number} is far outside the frame of {height} x {width} '
            f'(height x width): {short(polygon)}'
        )
    steps = zip(points, points[1:] + points[:1])
    if sum(max(abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in steps) > LONGEST_OUTLINE:
        return f'the outline of polygon no. {number} is longer than {LONGEST_OUTLINE} pixels'
    return ''


def _report_corners_outside(
    polygon: list, number: int, size: Size, place: Place, problems: Problems
) -> None:
    """Report corners outside the frame, which drawing cuts off."""
    for values, side, name in ((polygon[::2], size[1], 'x'), (polygon[1::2], size[0], 'y')):
        low, high = min(values), max(values)
        if low < -POLYGON_SLACK or high > side + POLYGON_SLACK:
            worst = low if low < -POLYGON_SLACK else high
            message = f'polygon no. {number} has {name} = {worst:g}, outside 0 to {side}'
            problems.defect('mask', message, place)
