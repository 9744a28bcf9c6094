"""JSON files, and annotation files of any layout."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from .annotations import AnnotationFile
from .cocovid import is_cocovid, read_cocovid
from .problems import Problems
from .youtube_vis import read_youtube_vis

#: bytes of the largest content as Python's objects: half of the machine's memory, but at least as
#: many; another number in the environment replaces it
LEAST_LIMIT = 2**33
MEMORY_VARIABLE = 'MMCICO_JSON_MEMORY'
#: bytes that an object, a list, an entry of one or both quotes of a text need at most
COSTS = {b'{': 240, b'[': 96, b',': 41, b'"': 32}
#: how files begin that are no UTF-8 text, and what they are
STARTS = {
    b'\x1f\x8b': 'packed by gzip; unpack it',
    b'PK\3\4': 'a zip; unpack it',
    b'\xff\xfe': 'UTF-16 text; save it as UTF-8',
    b'\xfe\xff': 'UTF-16 text; save it as UTF-8',
}
TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def load_json(path: str | Path) -> Any:
    """Read a JSON file.

    Args:
        path (str | Path): The file.

    Returns:
        Any: Its content. NaN is read as such; fields that must be numbers refuse it.

    Raises:
        ValueError: If the file is missing, no regular file, broken or too large, with file and
            position.
    """
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise ValueError(f'{path} is no regular file; devices and pipes are not read')
        _check_memory(found.st_size, str(path))
        return parse_json(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise ValueError(
            f'{path} cannot be read: {error.strerror}; check the '
            'path (in a config: ann_file below data_root)'
        ) from error


def parse_json(data: bytes, name: str) -> Any:
    """Parse JSON in UTF-8, also with the mark that some editors put in front.

    Raises:
        ValueError: If it is broken, nested too deeply, has numbers of thousands of digits or would
            fill the memory.
    """
    if _memory(data) > _memory_limit():  # brackets may be characters of masks
        _check_memory(_memory(TEXT.sub(b'""', data)) + len(data), name)
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        hints = [f'; it is {what}' for start, what in STARTS.items() if data.startswith(start)]
        hint = ''.join(hints)
        raise ValueError(
            f'{name} is not JSON: byte {error.start} is no UTF-8 text{hint}'
        ) from error
    del data  # the bytes of a large file are not needed beside its text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f'{name} is not complete JSON: {error.msg} at line '
            f'{error.lineno}, column {error.colno} (character {error.pos} of '
            f'{len(text)}); was it cut off while it was copied?'
        ) from error
    except (RecursionError, ValueError) as error:
        what = 'lists or objects are nested too deeply'
        if isinstance(error, ValueError):
            what = 'a number has thousands of digits'
        raise ValueError(f'{name} cannot be used: {what}; is it an annotation file?') from error


def _memory(data: bytes) -> int:
    """Return the bytes that the objects of a JSON text need at most, beside its texts."""
    return sum(data.count(mark) * cost for mark, cost in COSTS.items())


def _memory_limit() -> int:
    """Return the bytes that the content of a file may need."""
    text = os.environ.get(MEMORY_VARIABLE, '')
    if text.isdecimal():
        return int(text)
    if not hasattr(os, 'sysconf'):  # Windows
        return LEAST_LIMIT
    return max(LEAST_LIMIT, os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2)


def _check_memory(size: int, name: str) -> None:
    """Refuse a file whose objects would fill the memory."""
    if size > (most := _memory_limit()):
        raise ValueError(
            f'{name} needs up to {size:,} bytes of memory, more than {most:,}; split the file, or '
            f'allow more by the environment variable {MEMORY_VARIABLE} (bytes)'
        )


def read_annotations(
    source: str | Path | dict,
    name: str | None = None,
    *,
    problems: Problems | None = None,
    needs_files: bool = True,
    crowds_as_objects: bool = False,
) -> AnnotationFile:
    """Read a YouTube-VIS, OVIS or CocoVID file; its keys tell which.

    Args:
        source (str | Path | dict): File, or the JSON parsed from it.
        name (str, optional): Name of the file in messages.
        problems (Problems, optional): Gets what is wrong. Errors are raised when left out.
        needs_files (bool): Whether videos must name the files of their frames; with False, their
            length is enough.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Returns:
        AnnotationFile: The whole file. In collecting use, what could be read.

    Raises:
        ValueError: In strict use, for the first error.
    """
    is_path = isinstance(source, (str, Path))
    if problems is None:
        problems = Problems(name or (str(source) if is_path else 'annotations'))
    data: Any = source
    if isinstance(source, (str, Path)):
        try:
            data = load_json(source)
        except ValueError as error:
            if not problems.collect:
                raise
            problems.error('layout', str(error).removeprefix(f'{problems.file} '))
            return AnnotationFile(problems.file, [], [])
    if is_cocovid(data):
        return read_cocovid(data, problems, crowds_as_objects)
    return read_youtube_vis(data, problems, needs_files, crowds_as_objects)
