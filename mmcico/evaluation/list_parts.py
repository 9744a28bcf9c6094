"""Parts of a large JSON list of tracks, to be read at the same time."""

import json
import re
from mmap import mmap
from typing import Any

#: first byte of a part, and the one after its last
Part = tuple[int, int]
Data = bytes | mmap  # of a file

# the end of an entry before another one that begins like a track
BETWEEN = re.compile(rb'\}\s*,\s*(?=\{\s*"(?:video_id|category_id|score|segmentations)")')
VIDEO = re.compile(rb'"video_id"\s*:\s*("[^"]*"|[^\s,}]+)')


def cut_list(data: Data, number: int) -> list[Part]:
    """Guess where the entries of a list may be cut, between two videos.

    A guess may be wrong, in a text for instance that holds the same words.
    If each part is a whole list (``read_part``), all cuts were right.

    Args:
        data (bytes | mmap): A JSON list.
        number (int): Of parts wanted.

    Returns:
        list[tuple[int, int]]: Parts, fewer if there is no place to cut.

    Raises:
        ValueError: If it is no list.
    """
    begin, end = data.find(b'[') + 1, data.rfind(b']')
    if data[:begin].strip() != b'[' or data[max(end, 0) :].strip() != b']':
        raise ValueError('not a JSON list')
    parts, last = [], begin
    for i in range(1, number):
        place = _next_video(data, begin + (end - begin) * i // number, end)
        if place is not None and place[0] > last:
            parts.append((last, place[0]))
            last = place[1]
    return parts + [(last, end)]


def _next_video(data: Data, start: int, end: int) -> Part | None:
    """End of the last entry of a video, and begin of the next one's first."""
    for found in BETWEEN.finditer(data, start, end):
        before = VIDEO.match(data, data.rfind(b'"video_id"', 0, found.start()))
        after = VIDEO.search(data, found.end(), end)
        if before and after and before.group(1) != after.group(1):
            return found.start() + 1, found.end()
    return None


def read_part(data: Data, part: Part) -> list[Any]:
    """Entries of a part.

    Args:
        data (bytes | mmap): The list.
        part (tuple[int, int]): Of ``cut_list``.

    Returns:
        list: The entries.

    Raises:
        ValueError: If the part is not a whole list.
    """
    text = data[part[0] : part[1]].decode('utf-8')
    return json.loads(f'[{text}]')
