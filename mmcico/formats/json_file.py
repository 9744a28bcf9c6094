"""Reading of JSON files with messages that help."""

import json
import stat
from pathlib import Path
from typing import Any


def load_json(path: str | Path) -> Any:
    """Read a JSON file.

    Args:
        path (str | Path): The file.

    Returns:
        Any: Its content. NaN is read as such; fields that must be numbers
        refuse it.

    Raises:
        ValueError: If the file is missing, no regular file or broken, with
            file and position.
    """
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ValueError(f'{path} is no regular file; devices and pipes are not read')
        data = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f'{path} cannot be read: {error.strerror}; check the '
            'path (in a config: ann_file below data_root)'
        ) from error
    return parse_json(data, str(path))


def parse_json(data: bytes, name: str) -> Any:
    """Parse JSON.

    Args:
        data (bytes): UTF-8, also with the mark that some editors put in front.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If it is broken, nested too deeply or has numbers of
            thousands of digits.
    """
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{name} is not JSON: byte {error.start} is no UTF-8 text') from error
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
