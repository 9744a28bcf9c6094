"""Files that are there as a whole or not at all."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text file and the folders above it; half a one is never seen.

    Raises:
        OSError: If it cannot be written; a file that was there stays.
    """
    part = path.with_name(path.name + '.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding='utf-8')
        part.replace(path)
    except OSError as error:
        if part.parent.is_dir():
            part.unlink(missing_ok=True)
        raise OSError(f'cannot write the file {path}: {error.strerror or error}') from error
