"""Writing of what the tools found."""

import json
from pathlib import Path
from typing import Any, TextIO


def write_output(text: str, found: Any, target: str | None, stream: TextIO) -> None:
    """Write a table, or JSON, or both.

    Args:
        text (str): The table.
        found (Any): The same for JSON.
        target (str, optional): File for JSON, beside the table; ``'-'``
            writes JSON in place of the table.
        stream (TextIO): For the table.
    """
    if target == '-':
        stream.write(json.dumps(found, indent=1) + '\n')
        return
    # first what cannot fail: it took long
    stream.write(text + '\n')
    if target:
        write_json(target, found)


def write_json(path: str, found: Any, indent: int | None = 1) -> None:
    """Write a JSON file, with its folder if need be."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(found, indent=indent) + '\n', encoding='utf-8')
