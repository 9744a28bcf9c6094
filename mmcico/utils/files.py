"""Names and files: natural order, and files that are written as a whole or not at all."""

import math
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

#: paths that stand for what a process has opened
STREAMS = re.compile(r'/dev/(stdout|stderr|fd/\d+)|/proc/.*')

#: empty file that marks the folders of :func:`claim_folder`
MARK = '.mmcico'


def natural_key(name: str) -> list[tuple[bool, int, str]]:
    """Return a key that sorts numbers in names as numbers, and before text.

    >>> sorted(['f10.jpg', 'f9.jpg', '7.jpg'], key=natural_key)
    ['7.jpg', 'f9.jpg', 'f10.jpg']
    """
    key = []
    for part in re.findall(r'[0-9]+|[^0-9]+', name):
        is_text = part[0] not in '0123456789'
        # as text after their length: int() refuses thousands of digits
        digits = part if is_text else part.lstrip('0')
        key.append((is_text, 0 if is_text else len(digits), digits))
    return key


def text_lines(path: str | Path) -> list[str]:
    """Read the lines of a text in UTF-8, also with the mark that some editors put in front.

    Returns:
        list[str]: The lines without blanks at their ends.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no UTF-8, as the text that PowerShell writes with ``>``.
    """
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path} is no text in UTF-8: byte {error.start} is {error.object[error.start]:#x}; '
            'save it as UTF-8 (in PowerShell by Out-File -Encoding utf8)'
        ) from error
    return [line.strip() for line in text.splitlines()]


def is_unicode(path: str | Path) -> bool:
    """Return whether a path is valid Unicode, which libraries in C and JSON need."""
    return os.fsencode(path) == str(path).encode(errors='replace')


def cut_off(name: str, most: int) -> str:
    """Return as much of a name as fits into a number of bytes, without half a character."""
    return name.encode(errors='surrogateescape')[:most].decode(errors='ignore')


def distinct(name: str, seen: dict[str, int]) -> str:
    """Return a name for files which no other video has: ``name``, ``name_2`` and so on.

    Characters that file names cannot have, or that are not Unicode, become ``_``. Names that differ
    in case alone count as equal, as they do on Windows. Long names are cut off. ``seen``, the
    number of times that each name came, is updated.
    """
    name = re.sub(r'[\\/:*?"<>|\x00-\x1f\ud800-\udfff]', '_', name)
    # file systems allow 255 bytes, with "_2" and an ending
    name = cut_off(name, 200).strip('. ') or 'video'
    free = name
    while free.lower() in seen:
        seen[name.lower()] += 1
        free = f'{name}_{seen[name.lower()]}'
    seen[free.lower()] = 1
    return free


def is_below(name: str) -> bool:
    """Return whether a path in a folder cannot lead out of it, but for links."""
    path = PurePosixPath(name)
    return not path.is_absolute() and '..' not in path.parts


def leads_outside(folder: str | Path, name: str) -> bool:
    """Return whether a name leads out of a folder: absolute, by ``..``, as a URL or by a link."""
    if not is_below(name.replace('\\', '/')) or '://' in name:
        return True
    root = os.path.realpath(folder or '.')
    return os.path.commonpath([root, os.path.realpath(os.path.join(root, name))]) != root


def is_one_of(path: str | Path, others: Iterable[str | Path | None]) -> bool:
    """Return whether a path leads to the file of another one, also by a link; None is no file."""
    return os.path.realpath(path) in {os.path.realpath(each) for each in others if each}


def defined(value: Any) -> Any:
    """Return the content of a report with None for NaN and infinities, which JSON does not have.

    >>> defined({'mean': float('nan'), 'values': [1.5, float('inf')]})
    {'mean': None, 'values': [1.5, None]}
    """
    if isinstance(value, dict):
        return {key: defined(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [defined(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def without_secrets(source: str) -> str:
    """Return a URL for messages, without user, password and query; paths stay as they are.

    >>> without_secrets('rtsp://admin:pass/word@camera/live?key=1')
    'rtsp://***@camera/live'
    """
    # a password that is not encoded may have any character
    return re.sub('//.*@', '//***@', source).split('?')[0] if '://' in source else source


def claim_folder(folder: Path, names: Iterable[str], known: bool = False) -> None:
    """Create a folder for files that a command names itself, or take one of an earlier run.

    Args:
        folder (Path): The folder.
        names (Iterable[str]): Files and folders that are written to it.
        known (bool): Whether an earlier run wrote it, of a version that left no mark.

    Raises:
        ValueError: If one of them exists that may be another's.
        OSError: If the folder cannot be written.
    """
    mark = folder / MARK
    for path in (folder / name for name in names):
        if path.exists() and not (known or mark.exists()):
            raise ValueError(
                f'{path} exists and would be replaced, though mmcico may not have written it (no '
                f'file {MARK} is beside it); choose another output folder, or move it away'
            )
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()


def part_path(path: Path) -> Path:
    """Return the path of a new temporary file beside a file; it has the same suffix.

    Devices, pipes and folders, which cannot be replaced, are returned themselves; so are the
    standard streams, which may be files.
    """
    if (path.exists() and not path.is_file()) or STREAMS.fullmatch(str(path)):
        return path
    return path.with_name(f'.{cut_off(path.stem, 100)}.{secrets.token_hex(4)}.part{path.suffix}')


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces ``path`` when it is complete; folders are created.

    After an error, a file that was there before stays as it was. Errors that name another file,
    such as one that is read meanwhile, are left as they are.

    Raises:
        OSError: If it cannot be written.
    """
    path = Path(path)
    part = part_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open('wb') as file:
            yield file
        if part != path:
            part.replace(path)
    except OSError as error:
        if error.filename is not None and Path(str(error.filename)) not in (part, *part.parents):
            raise
        raise OSError(f'cannot write the file {path}: {error.strerror or error}') from error
    finally:
        if part != path and part.parent.is_dir():
            part.unlink(missing_ok=True)


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write bytes, or text as UTF-8, as a whole or not at all; folders are created.

    Raises:
        OSError: If it cannot be written; a file that was there stays as it was.
    """
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
