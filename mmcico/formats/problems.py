"""Problems of files: raised one by one, or collected.

A reader reports through :class:`Problems`. In strict use, the first error is
raised. In collecting use, all problems are kept and the reader goes on.
"""

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ERROR, WARNING = 'error', 'warning'

#: kinds of problems and what is expected, in the order of the summary
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
    'score': 'scores are finite numbers',
    'empty': 'every object is seen, the file has objects',
    'category': 'categories have names and are used',
    'crowd': 'iscrowd is 0 or 1, and few objects are crowds',
    'occlusion': "OVIS' words are known and complete",
    'number': 'servers accept the number of tracks',
}

#: longest text of a value in a message
LONGEST = 60
#: warnings that a file keeps in strict use
MOST_WARNINGS = 20


def short(value: Any) -> str:
    """Return a value as text for a message, at most 60 characters.

    >>> short([1, 'a'])
    "[1, 'a']"
    """
    if isinstance(value, (list, tuple)) and len(value) > 8:
        return f'a list of {len(value)} entries'
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested deeply, or thousands of digits
        return f'a {type(value).__name__}'
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'


@dataclass(frozen=True)
class Place:
    """A place in a file; a field that does not apply is empty.

    Attributes:
        file (str): Name of the file.
        video (int | str, optional): Id of the video.
        frame (int, optional): Position of the frame in the video, from 0.
        file_name (str, optional): File of the frame.
        annotation (int | str, optional): Id of the annotation, or ``no. 3`` if it has none.
        track (int, optional): Position of the track in a results file.
        field (str): Name of the field in the file.
    """

    file: str = ''
    video: Any = None
    frame: int | None = None
    file_name: str | None = None
    annotation: Any = None
    track: int | None = None
    field: str = ''

    def at(self, **changes: Any) -> 'Place':
        """Return the place with other fields."""
        return dataclasses.replace(self, **changes)

    def __str__(self) -> str:
        name = f' ({self.file_name})' if self.file_name else ''
        parts = [
            '' if self.track is None else f'track {self.track}',
            '' if self.video is None else f'video {short(self.video)}',
            '' if self.frame is None else f'frame {self.frame}{name}',
            '' if self.annotation is None else f'annotation {short(self.annotation)}',
            f"field '{self.field}'" if self.field else '',
        ]
        return ': '.join(part for part in (self.file, ', '.join(filter(None, parts))) if part)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file.

    Attributes:
        kind (str): One of :data:`KINDS`.
        message (str): What is wrong, what was expected and what to do.
        place (Place): Place of the problem.
        value (Any): Content of the field; None if it explains nothing.
        level (str): ``'error'`` or ``'warning'``.
        refused (bool): Whether strict readers refuse the file for it. An error that is not refused
            is reported by ``check_dataset`` and ``check_submission`` alone.
        fixable (bool): Whether it can be repaired without changing what the file says.
    """

    kind: str
    message: str
    place: Place = Place()
    value: Any = None
    level: str = ERROR
    refused: bool = False
    fixable: bool = False

    def text(self) -> str:
        """Return place, value and message in one line, control characters escaped."""
        value = '' if self.value is None else f' = {short(self.value)}'
        where = f'{self.place}{value}'
        text = f'{where}: {self.message}' if where else self.message
        return ''.join(char if char.isprintable() else repr(char)[1:-1] for char in text)

    def line(self) -> str:
        """Return level, kind and text in one line."""
        return f'{self.level} [{self.kind}] {self.text()}'

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as values that JSON can hold."""
        place = self.place
        return dict(
            level=self.level,
            kind=self.kind,
            file=place.file,
            video=_json_value(place.video),
            frame=place.frame,
            file_name=place.file_name,
            annotation=_json_value(place.annotation),
            field=place.field,
            value=_json_value(self.value),
            message=self.message,
        )


def _json_value(value: Any) -> int | float | bool | str | None:
    """Return simple values as they are, others as text."""
    if isinstance(value, str):
        return value[:200]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and abs(value) <= 2**53:
        return value
    return short(value)


class FormatError(ValueError):
    """An error of a file.

    Args:
        problem (Problem): The first error of the file.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text())
        self.problem = problem


@dataclass
class Problems:
    """Everything that is wrong with a file.

    Attributes:
        file (str): Name of the file.
        collect (bool): Keep errors instead of raising the first one.
        found (list[Problem]): Problems in the order in which they were found.
        left_out (Counter): Number of things that the reader left out, by the words that messages
            use for them.
        checked (dict[str, int]): Number of things that were checked.
    """

    file: str
    collect: bool = False
    found: list[Problem] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)
    checked: dict[str, int] = field(default_factory=dict)

    def at(self, **fields: Any) -> Place:
        """Return a place in the file."""
        return Place(self.file, **fields)

    def error(self, kind: str, message: str, place: Place | None = None, value: Any = None) -> None:
        """Report what makes the file unusable.

        Raises:
            FormatError: In strict use.
        """
        problem = Problem(kind, message, place or self.at(), value, refused=True)
        if not self.collect:
            raise FormatError(problem)
        self.found.append(problem)

    def defect(
        self,
        kind: str,
        message: str,
        place: Place | None = None,
        value: Any = None,
        fixable: bool = False,
    ) -> None:
        """Report an error that readers can live with; strict use ignores it."""
        if self.collect:
            self.found.append(Problem(kind, message, place or self.at(), value, fixable=fixable))

    def warn(
        self,
        kind: str,
        message: str,
        place: Place | None = None,
        value: Any = None,
        fixable: bool = False,
    ) -> None:
        """Report what may be intended; strict use keeps the first ones."""
        if self.collect or len(self.found) < MOST_WARNINGS:
            self.found.append(
                Problem(kind, message, place or self.at(), value, WARNING, fixable=fixable)
            )

    def leave_out(self, what: str, number: int = 1) -> None:
        """Count things that are left out, such as ``'masks without a pixel'``."""
        self.left_out[what] += number

    @property
    def num_errors(self) -> int:
        """Number of errors."""
        return sum(each.level == ERROR for each in self.found)

    @property
    def is_refused(self) -> bool:
        """Whether strict readers refuse the file."""
        return any(each.refused for each in self.found)

    def summary(self) -> dict[str, tuple[int, int]]:
        """Return (errors, warnings) of each kind that occurs."""
        counts = Counter((each.kind, each.level) for each in self.found)
        table = {kind: (counts[kind, ERROR], counts[kind, WARNING]) for kind in KINDS}
        return {kind: numbers for kind, numbers in table.items() if any(numbers)}

    def as_dict(self) -> dict[str, Any]:
        """Return the problems as values that JSON can hold."""
        return dict(
            file=self.file,
            checked=self.checked,
            left_out=dict(self.left_out),
            errors=self.num_errors,
            warnings=len(self.found) - self.num_errors,
            summary={
                kind: dict(zip(('errors', 'warnings'), numbers))
                for kind, numbers in self.summary().items()
            },
            defects=[each.as_dict() for each in self.found],
        )

    def summary_text(self) -> str:
        """Return a table by kind and a last line with the verdict."""
        lines = ['', 'checked: ' + counted(self.checked)]
        if self.left_out:
            lines.append('left out: ' + counted(self.left_out))
        table = self.summary()
        if table:
            lines.append(f'{"kind":<10} {"errors":>8} {"warnings":>8}')
        for kind, counts in table.items():
            lines.append(f'{kind:<10} {counts[0]:>8} {counts[1]:>8}  expected: {KINDS[kind]}')
        warnings = len(self.found) - self.num_errors
        verdict = '' if self.num_errors else '; sound'
        lines.append(f'{self.file}: {self.num_errors} errors, {warnings} warnings{verdict}')
        return '\n'.join(lines)


def counted(numbers: dict[str, int]) -> str:
    """Return numbers with their words.

    >>> counted(dict(videos=2, frames=5))
    '2 videos, 5 frames'
    """
    return ', '.join(f'{number} {what}' for what, number in numbers.items())
