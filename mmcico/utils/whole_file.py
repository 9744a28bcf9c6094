"""Files that are there as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write that takes its place when all is written.

    Folders above it are made. After an error, a file that was there stays.

    Args:
        path (Path): The file.

    Yields:
        BinaryIO: A temporary file beside it.

    Raises:
        OSError: If it cannot be written.
    """
    part = path.with_name(f'{path.name}.{os.getpid()}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open('wb') as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise OSError(f'cannot write the file {path}: {error.strerror or error}') from error
    finally:
        if part.parent.is_dir():
            part.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole.

    Raises:
        OSError: If it cannot be written; a file that was there stays.
    """
    with whole_file(path) as file:
        file.write(text.encode('utf-8'))
