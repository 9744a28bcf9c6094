"""Classes of the objects of mask pictures, which have none themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcico.formats.problems import Problems


def read_object_classes(data: Any, name: str) -> dict[str, Any]:
    """Return the classes of objects by video, of the content of a file.

    It is ``{"video": "dog"}``, ``{"video": {"1": "dog"}}``, or the ``meta.json`` of YouTube-VOS.

    Raises:
        ValueError: If the file is neither.
    """
    if isinstance(data, dict) and isinstance(data.get('videos'), dict):
        data = {video: _vos_classes(entry) for video, entry in data['videos'].items()}
    if not isinstance(data, dict) or not all(
        isinstance(name, str)
        for entry in data.values()
        for name in (entry.values() if isinstance(entry, dict) else [entry])
    ):
        raise ValueError(
            f'{name}: expected an object {{"video": {{"1": "dog"}}}} or {{"video": "dog"}}, or '
            'the meta.json of YouTube-VOS'
        )
    return data


def _vos_classes(entry: Any) -> Any:
    """Return object -> class of a video in YouTube-VOS' meta.json."""
    objects = entry.get('objects') if isinstance(entry, dict) else None
    if not isinstance(objects, dict) or not all(isinstance(o, dict) for o in objects.values()):
        return None
    return {key: each.get('category') for key, each in objects.items()}


class ObjectClasses:
    """Class names by video and object; entries that are used are remembered.

    Args:
        entries (Mapping): Video -> class, or -> ``{object: class}``.
        default (str): Class of all other objects.
    """

    def __init__(self, entries: Mapping[str, Any], default: str) -> None:
        self.entries, self.default = entries, default
        self._used: set[tuple[str, str]] = set()

    def names(self, videos: Iterable[str]) -> Iterator[str]:
        """Yield the class names of some videos."""
        for video in videos:
            entry = self.entries.get(video)
            names = entry.values() if isinstance(entry, Mapping) else [entry]
            yield from (name for name in names if isinstance(name, str))

    def name_of(self, video: str, key: int) -> str:
        """Return the class of an object.

        Raises:
            ValueError: If its entry is no name.
        """
        entry = self.entries.get(video, self.default)
        if not isinstance(entry, Mapping):
            self._used.add((video, ''))
        elif str(key) in entry:
            self._used.add((video, str(key)))
            entry = entry[str(key)]
        else:
            entry = self.default
        if not isinstance(entry, str):
            raise ValueError(
                f'object classes: video {video}, object {key}: {entry!r} is no class name'
            )
        return entry

    def report_unused(self, videos: Sequence[str] | None, folder: Path, problems: Problems) -> None:
        """Warn of entries of the chosen videos in a folder that match no object.

        Raises:
            ValueError: If no entry matches an object.
        """
        entries = [
            (video, str(key))
            for video, entry in self.entries.items()
            for key in (entry if isinstance(entry, Mapping) else [''])
            if videos is None or video in videos
        ]
        unused = [entry for entry in entries if entry not in self._used]
        if not unused:
            return
        video, key = unused[0]
        what = f'video {video!r}' + (f', object {key}' if key else '')
        message = (
            f'object classes: {len(unused)} of {len(entries)} entries match no object, the first '
            f'is {what}; names of videos are names of folders in {folder}'
        )
        if len(unused) == len(entries):
            raise ValueError(message)
        problems.warn('category', message)
