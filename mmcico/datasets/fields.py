"""Fields of annotation files, read with checks that name them."""

import math
from collections.abc import Sequence
from typing import Any

from .video_annotations import Id

#: pixels; runs of larger frames would not fit into pycocotools' 32 bits
LONGEST_SIDE = 32768


def id_key(value: Any) -> str:
    """Form in which ids compare, as files mix ``1``, ``1.0`` and ``'1'``."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def required(record: Any, key: str, where: str) -> Any:
    """A field that must be there.

    Raises:
        ValueError: If it is missing or null, naming ``where`` and the field.
    """
    if not isinstance(record, dict):
        raise ValueError(f"{where} is {str(record)[:40]!r}, not an object with the field '{key}'")
    if record.get(key) is None:
        if key in record:
            raise ValueError(f"{where}: field '{key}' is null")
        raise ValueError(f"{where} has no field '{key}'; it has {sorted(record)}")
    return record[key]


def required_list(record: Any, key: str, where: str) -> list:
    """A list that must be there.

    Raises:
        ValueError: If it is missing or no list.
    """
    value = required(record, key, where)
    if not isinstance(value, list):
        raise ValueError(f"{where}: field '{key}' is a {type(value).__name__}, not a list")
    return value


def read_size(record: dict, where: str) -> tuple[int, int]:
    """(height, width) in pixels.

    Raises:
        ValueError: If one is missing or no positive whole number.
    """
    size = []
    for key in ('height', 'width'):
        value = required(record, key, where)
        number = isinstance(value, (int, float))
        if not number or not 1 <= value <= LONGEST_SIDE or value % 1:
            raise ValueError(
                f"{where}: field '{key}' is {value!r}, not a whole number from 1 to {LONGEST_SIDE}"
            )
        size.append(int(value))
    return size[0], size[1]


def read_crowd(record: dict, where: str) -> bool:
    """Whether ``iscrowd`` is set; missing or null is not.

    Raises:
        ValueError: If it is neither 0 nor 1; ``'0'`` would pass as true.
    """
    value = record.get('iscrowd')
    if value not in (None, 0, 1):
        raise ValueError(f"{where}: field 'iscrowd' is {value!r}, neither 0 nor 1")
    return bool(value)


def read_annotations_list(data: dict, name: str) -> list:
    """``annotations``; missing, null or [] in official valid and test files.

    Raises:
        ValueError: If it is anything but a list.
    """
    if data.get('annotations') is None:
        return []
    return required_list(data, 'annotations', name)


def by_id(records: Sequence[Any], what: str, name: str) -> dict[str, dict]:
    """Entries of a list of the file by their id.

    Args:
        records (Sequence): The list.
        what (str): What an entry is called in messages.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If an id is missing or there twice.
    """
    found: dict[str, dict] = {}
    for place, record in enumerate(records):
        key = id_key(required(record, 'id', f'{name}: {what} no. {place}'))
        if key in found:
            raise ValueError(
                f'{name}: {what} id {record["id"]!r} occurs twice; ids must be distinct'
            )
        found[key] = record
    return found


def video_records(data: dict, name: str) -> dict[str, dict]:
    """Entries of ``videos`` by their id.

    Raises:
        ValueError: If there are none.
    """
    records = by_id(required_list(data, 'videos', name), 'video', name)
    if not records:
        raise ValueError(f"{name}: field 'videos' is empty")
    return records


def look_up(table: dict[str, Any], record: dict, key: str, target: str, where: str) -> Any:
    """What an id in a field stands for.

    Raises:
        ValueError: If the list ``target`` of the file has no such id.
    """
    value = required(record, key, where)
    if id_key(value) not in table:
        known = ', '.join(list(table)[:10]) or 'none'
        more = ', ...' if len(table) > 10 else ''
        raise ValueError(
            f"{where}: field '{key}' is {value!r}, which is not in '{target}' (ids {known}{more})"
        )
    return table[id_key(value)]


def read_categories(data: dict, name: str) -> list[tuple[Id, str]]:
    """(id, name) of all classes of a file.

    Raises:
        ValueError: If there are none, or an id occurs twice.
    """
    records = data.get('categories') or []
    if not isinstance(records, list) or not records:
        raise ValueError(f"{name} has no 'categories'; is it an annotation file, not a meta.json?")
    return [
        (record['id'], str(required(record, 'name', f'{name}: category {key}')))
        for key, record in by_id(records, 'category', name).items()
    ]


def read_bbox(box: Any, where: str) -> tuple[float, ...] | None:
    """A box of the file, None if it has none or an empty one.

    Raises:
        ValueError: If it is neither null nor four numbers.
    """
    if box is None or box == []:
        return None
    if (
        not isinstance(box, (list, tuple))
        or len(box) != 4
        or not all(isinstance(side, (int, float)) and math.isfinite(side) for side in box)
    ):
        raise ValueError(f'{where}: box {str(box)[:40]} is not [x, y, width, height] or null')
    return tuple(box) if box[2] > 0 and box[3] > 0 else None
