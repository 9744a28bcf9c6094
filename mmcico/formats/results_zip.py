"""Zips of results, as evaluation servers accept them."""

import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .problems import Problems
from .read import parse_json

#: file in a zip, and of a finished test
RESULTS = 'results.json'
#: bytes of the largest results.json that is unpacked
MOST_BYTES = 2**30
#: results of this size shrink less than so many times; more is no results file
BOMB_BYTES, BOMB_RATIO = 2**26, 300
BROKEN = (EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError)


def read_zip(path: Path, problems: Problems) -> Any:
    """Return the JSON of ``results.json`` in a zip.

    Raises:
        ValueError: If it cannot be read, or would fill the memory.
    """
    if not path.is_file():
        raise ValueError(f'{path} cannot be read: there is no such file')
    try:
        with zipfile.ZipFile(path) as file:
            _check_members(file.namelist(), problems)
            inside = [each for each in file.infolist() if _base(each.filename) == RESULTS]
            fault = _zip_fault(inside, file.namelist())
            data = b'' if fault else file.read(inside[0])
    # zipfile does not foresee all that a broken zip can hold
    except (zipfile.BadZipFile, zlib.error, struct.error, *BROKEN) as error:
        raise ValueError(f'{path} cannot be read: {error}') from error
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror or error}') from error
    if fault:
        raise ValueError(f'{path}{fault}')
    return parse_json(data, f'{path}: {RESULTS}')


def _zip_fault(inside: Sequence[zipfile.ZipInfo], names: Sequence[str]) -> str:
    """Return the reason why a zip is no file of results, '' if it may be one."""
    if not inside:
        return f' holds no {RESULTS}, but {names[:5]}'
    size, packed = inside[0].file_size, max(inside[0].compress_size, 1)
    if size > MOST_BYTES or (size > BOMB_BYTES and size > BOMB_RATIO * packed):
        return (
            f': {RESULTS} has {size} bytes, packed {packed}; that is no results file (at most '
            f'{MOST_BYTES} bytes are unpacked)'
        )
    return ''


def _base(name: str) -> str:
    return name.replace('\\', '/').rsplit('/', 1)[-1]


def _check_members(names: list[str], problems: Problems) -> None:
    """Report what evaluation servers refuse in a zip that can be read."""
    inside = [each for each in names if _base(each) == RESULTS]
    if inside and RESULTS not in names:
        message = f'{RESULTS} is inside a folder ({inside[0]}); zip the file, not its folder'
        problems.defect('layout', message)
    more = [each for each in names if _base(each) != RESULTS]
    if names.count(RESULTS) > 1:
        more.append(RESULTS + ' once more')
    if more:
        message = f'holds {len(more)} more than {RESULTS}: {more[:5]}; servers want it alone'
        problems.defect('layout', message)
