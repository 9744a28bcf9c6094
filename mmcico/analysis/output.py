"""Output of tools that print a table and write the same as JSON."""

import json
from typing import Any, TextIO

from mmcico.formats.write import write_json


def write_output(text: str, found: Any, target: str | None, stream: TextIO) -> None:
    """Write a table, JSON, or both.

    Args:
        text (str): The table.
        found (Any): The same for JSON.
        target (str, optional): File for JSON, in addition to the table; ``'-'`` writes JSON in
            place of the table.
        stream (TextIO): Gets the table.
    """
    if target == '-':
        stream.write(json.dumps(found, indent=1) + '\n')
        return
    # The table comes first, since it cannot fail and may have taken long.
    stream.write(text + '\n')
    if target:
        write_json(target, found, indent=1)
