"""Reading of JSON files with messages that help."""

import json
from pathlib import Path
from typing import Any


def load_json(path: str | Path) -> Any:
    """Read a JSON file.

    Args:
        path (str | Path): The file.

    Returns:
        Any: Its content.

    Raises:
        ValueError: If it is missing or broken, with file and position.
    """
    try:
        # faster than read_text, which looks at the ends of lines; some
        # editors on Windows put a mark in front
        text = Path(path).read_bytes().decode('utf-8-sig')
    except OSError as error:
        raise ValueError(
            f'{path} cannot be read: {error.strerror}; check the '
            'path (in a config: ann_file below data_root)'
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not JSON: byte {error.start} is no UTF-8 text') from error
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f'{path} is not complete JSON: {error.msg} at line '
            f'{error.lineno}, column {error.colno} (character {error.pos} of '
            f'{len(text)}); was it cut off while it was copied?'
        ) from error
