"""JSON files of long lists, written entry by entry."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any


class ListsWriter:
    """Writes one object with lists; only the entry at hand is in memory.

    The file appears when the block ends, and not at all after an error.

        with ListsWriter('instances.json', ['videos', 'annotations']) as file:
            file.add('videos', dict(id=1))
            file.head['categories'] = []

    Args:
        path (str | Path): File to write; its folder is made.
        lists (Sequence[str]): Names of the lists, in the order of the file.

    Attributes:
        head (dict): Further fields, written before the lists.
        counts (dict): Entries so far, by list.
    """

    def __init__(self, path: str | Path, lists: Sequence[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.head: dict[str, Any] = {}
        self.counts = dict.fromkeys(lists, 0)
        self._parts: Mapping[str, IO[str]] = {
            name: tempfile.TemporaryFile('w+', dir=self.path.parent, encoding='utf8')  # noqa: SIM115
            for name in lists
        }

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Append an entry to a list."""
        if self.counts[name]:
            self._parts[name].write(', ')
        self._parts[name].write(json.dumps(entry, allow_nan=False))
        self.counts[name] += 1

    def __enter__(self) -> 'ListsWriter':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._join()
        finally:
            for part in self._parts.values():
                part.close()

    def _join(self) -> None:
        """Put the parts together under the final name."""
        draft = self.path.with_name(self.path.name + '.part')
        try:
            with draft.open('w', encoding='utf8') as file:
                file.write('{')
                for key, value in self.head.items():
                    file.write(f'{json.dumps(key)}: {json.dumps(value)}, ')
                for number, (name, part) in enumerate(self._parts.items()):
                    file.write(f'{", " if number else ""}"{name}": [')
                    part.seek(0)
                    shutil.copyfileobj(part, file)
                    file.write(']')
                file.write('}\n')
            os.replace(draft, self.path)
        finally:
            if draft.exists():
                draft.unlink()
