"""Videos and tracks of any layout as they are, right or wrong."""

from dataclasses import dataclass, field
from typing import Any

from mmcico.datasets.fields import LONGEST_SIDE, id_key

from .defects import Place, Report
from .values import is_id, is_whole, short

#: what an object has for every frame, by the names of YouTube-VIS
FRAME_FIELDS = ('segmentations', 'bboxes', 'areas', 'occlusion')


@dataclass
class RawVideo:
    """A video.

    Attributes:
        place (Place): Its id.
        names (list[str | None]): File names of its frames, None for one that
            cannot be used.
        size (tuple[int, int], optional): Height and width, None if not known.
    """

    place: Place
    names: list[str | None]
    size: tuple[int, int] | None = None

    def frame(self, number: int) -> Place:
        """A frame of it."""
        return self.place.at(frame=number, file_name=self.names[number])


@dataclass
class RawTrack:
    """An object.

    Attributes:
        place (Place): Its id and video.
        video (RawVideo): Its video; one without names of files if the video
            is not known.
        lists (dict[str, list]): Fields of :data:`FRAME_FIELDS` that it has,
            one entry a frame.
        fields (dict[str, str]): What these fields are called in the file.
    """

    place: Place
    video: RawVideo
    lists: dict[str, list]
    fields: dict[str, str] = field(default_factory=lambda: {key: key for key in FRAME_FIELDS})

    def frame(self, number: int) -> Place:
        """A frame of it."""
        return self.place.at(frame=number, file_name=self.video.names[number])

    def entry(self, key: str, number: int) -> Any:
        """Entry of a frame, None if the object has no such field."""
        return self.lists[key][number] if key in self.lists else None


def entries(data: dict, key: str, report: Report) -> list[dict]:
    """The objects in a list of the file; others are reported."""
    found = []
    for number, record in enumerate(data[key]):
        if isinstance(record, dict):
            found.append(record)
        else:
            report.error(
                'layout', 'is not an object with fields', field=f'{key}[{number}]', value=record
            )
    return found


def place_of(record: dict, number: int) -> Any:
    """The id of an entry, or its number if it has none that can be used."""
    value = record.get('id')
    return value if is_id(value) else f'no. {number}'


def index_ids(records: list[dict], key: str, report: Report, place: str) -> dict[str, int]:
    """Id -> position of the first entry that has it.

    Args:
        records (list[dict]): A list of the file.
        key (str): Its name.
        report (Report): Gets what is wrong.
        place (str): ``'video'`` or ``'annotation'`` to name entries so in
            messages, or ``''``.

    Returns:
        dict[str, int]: In the form of ``id_key``.
    """
    index: dict[str, int] = {}
    for number, record in enumerate(records):
        value = record.get('id')
        where = Place(**({place: place_of(record, number)} if place else {}))
        name = f'{key}[{number}].id'
        if not is_id(value):
            report.error('id', 'is no id: a whole number or a text is needed', where, name, value)
        elif id_key(value) in index:
            report.error(
                'id', f'is already the id of {key}[{index[id_key(value)]}]', where, name, value
            )
        else:
            index[id_key(value)] = number
    return index


def read_size(record: dict, place: Place, report: Report) -> tuple[int, int] | None:
    """Height and width, None if one of them cannot be used."""
    size = []
    for key in ('height', 'width'):
        value = record.get(key)
        if is_whole(value) and 0 < value <= LONGEST_SIDE:
            size.append(int(value))
        else:
            report.error(
                'size', f'is not a whole number from 1 to {LONGEST_SIDE}', place, key, value
            )
    return (size[0], size[1]) if len(size) == 2 else None


def check_crowd(record: dict, place: Place, report: Report) -> bool:
    """Whether it is a region of several objects."""
    value = record.get('iscrowd', 0)
    if value not in (0, 1, None):
        report.error('crowd', 'is neither 0 nor 1', place, 'iscrowd', value)
    return bool(value)


def check_reference(
    record: dict, key: str, index: dict[str, Any], target: str, place: Place, report: Report
) -> Any:
    """What an id stands for; None, and a report, if for nothing."""
    value = record.get(key)
    if is_id(value) and id_key(value) in index:
        return index[id_key(value)]
    known = ', '.join(list(index)[:5]) or 'none'
    more = ', ...' if len(index) > 5 else ''
    report.error(
        'reference',
        f"is no id in '{target}' (ids {known}{more})"
        if key in record
        else f"is missing; it leads to '{target}'",
        place,
        key,
        None if value is None else short(value),
    )
    return None
