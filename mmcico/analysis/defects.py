"""Defects of a file, collected instead of raised."""

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .values import json_value, short

ERROR, WARNING = 'error', 'warning'

#: what is looked at, in the order of the summary
KINDS = {
    'layout': 'the file has the lists and objects that it needs',
    'id': 'ids are there and unique',
    'reference': 'ids of videos, images and categories lead somewhere',
    'length': 'lists have one entry a frame',
    'size': 'sizes of videos, masks and annotations agree',
    'name': 'every frame has a file name of its own',
    'order': 'frames are in the order of their names',
    'image': 'images exist and have the stated size',
    'mask': 'masks can be read',
    'presence': 'boxes and areas are there where masks are',
    'box': 'boxes lie in the frame and around their masks',
    'area': 'areas are those of the masks',
    'empty': 'every object is seen, the file has objects',
    'category': 'categories have names and are used',
    'crowd': 'iscrowd is 0 or 1',
    'occlusion': "OVIS' words are known and complete",
}


@dataclass(frozen=True)
class Place:
    """Where in a file something is; None where it does not apply.

    Attributes:
        video (int | str, optional): Its id.
        frame (int, optional): Position in the video, from 0.
        file_name (str, optional): Of the frame.
        annotation (int | str, optional): Its id, or ``no. 3`` if it has
            none (CocoVID: the id of the instance).
    """

    video: Any = None
    frame: int | None = None
    file_name: str | None = None
    annotation: Any = None

    def at(self, **changes: Any) -> 'Place':
        """The same place, looked at more closely."""
        return dataclasses.replace(self, **changes)

    def __str__(self) -> str:
        parts = []
        if self.video is not None:
            parts.append(f'video {self.video!r}')
        if self.frame is not None:
            name = f' ({self.file_name})' if self.file_name else ''
            parts.append(f'frame {self.frame}{name}')
        if self.annotation is not None:
            parts.append(f'annotation {self.annotation!r}')
        return ', '.join(parts)


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong.

    Attributes:
        kind (str): One of :data:`KINDS`.
        message (str): What is wrong, and the way out where it is not plain.
        place (Place): Where.
        field (str): The field of the file.
        value (Any): What it holds.
        level (str): ``'error'``, or ``'warning'`` for what can be meant so.
    """

    kind: str
    message: str
    place: Place = Place()
    field: str = ''
    value: Any = None
    level: str = ERROR

    def as_dict(self, file: str) -> dict[str, Any]:
        """For JSON."""
        return dict(
            level=self.level,
            kind=self.kind,
            file=file,
            video=json_value(self.place.video),
            frame=self.place.frame,
            file_name=self.place.file_name,
            annotation=json_value(self.place.annotation),
            field=self.field,
            value=json_value(self.value),
            message=self.message,
        )

    def text(self, file: str) -> str:
        """One line."""
        where = ': '.join(part for part in (file, str(self.place)) if part)
        what = f", field '{self.field}'" if self.field else ''
        value = '' if self.value is None else f' = {short(self.value)}'
        return f'{self.level} [{self.kind}] {where}{what}{value}: {self.message}'


@dataclass
class Report:
    """Everything found in a file.

    Attributes:
        file (str): Its name.
        defects (list[Defect]): In the order they were found.
        checked (dict[str, int]): How much was looked at.
    """

    file: str
    defects: list[Defect] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    def error(
        self, kind: str, message: str, place: Place = Place(), field: str = '', value: Any = None
    ) -> None:
        """Note something wrong."""
        self.defects.append(Defect(kind, message, place, field, value))

    def warn(
        self, kind: str, message: str, place: Place = Place(), field: str = '', value: Any = None
    ) -> None:
        """Note something that can be meant so."""
        self.defects.append(Defect(kind, message, place, field, value, WARNING))

    @property
    def num_errors(self) -> int:
        """Number of errors."""
        return sum(each.level == ERROR for each in self.defects)

    def summary(self) -> dict[str, tuple[int, int]]:
        """Kind -> (errors, warnings), kinds without any left out."""
        counts = Counter((each.kind, each.level) for each in self.defects)
        return {
            kind: (counts[kind, ERROR], counts[kind, WARNING])
            for kind in KINDS
            if counts[kind, ERROR] or counts[kind, WARNING]
        }

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(
            file=self.file,
            checked=self.checked,
            errors=self.num_errors,
            warnings=len(self.defects) - self.num_errors,
            summary={
                kind: dict(errors=errors, warnings=warnings)
                for kind, (errors, warnings) in self.summary().items()
            },
            defects=[each.as_dict(self.file) for each in self.defects],
        )

    def summary_text(self) -> str:
        """Table by kind, and a last line that says it all."""
        lines = [
            '',
            'checked: ' + ', '.join(f'{count} {name}' for name, count in self.checked.items()),
        ]
        table = self.summary()
        if table:
            lines.append(f'{"kind":<10} {"errors":>8} {"warnings":>8}')
        for kind, counts in table.items():
            lines.append(f'{kind:<10} {counts[0]:>8} {counts[1]:>8}  expected: {KINDS[kind]}')
        warnings = len(self.defects) - self.num_errors
        lines.append(
            f'{self.file}: {self.num_errors} errors, {warnings} '
            'warnings' + ('' if self.num_errors else '; sound')
        )
        return '\n'.join(lines)
