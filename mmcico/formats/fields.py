"""Fields of parsed JSON, read with checks that name them.

After an error, a function returns None (in collecting use: strict use raises).
"""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from .problems import Place, Problems

Id = int | str
T = TypeVar('T')

#: greatest number to count with
LARGEST = 2**53
#: pixels; runs of larger frames do not fit into pycocotools' 32 bits
LONGEST_SIDE = 32768
#: frames of the longest video
LONGEST_VIDEO = 2**20
NO_ID = 'is no id; a whole number or a text is needed'


def is_number(value: Any) -> bool:
    """Return whether a value is a number to count with.

    True, false, NaN, infinity and numbers above 2 ** 53 are not.
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number, also ``3.0``."""
    return is_number(value) and value == int(value)


def as_id(value: Any) -> Id | None:
    """Return an id as all readers compare it, None if it cannot be one.

    Ids are whole numbers, where ``1.0`` is 1, and texts that are not empty.

    >>> as_id(1.0), as_id('a'), as_id(True), as_id(1.5)
    (1, 'a', None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if is_whole(value) else None
    return value if isinstance(value, int) or (isinstance(value, str) and value) else None


def id_key(value: Any) -> str:
    """Return the form in which ids compare, as files mix ``1``, ``1.0`` and ``'1'``."""
    key = as_id(value)
    return str(value if key is None else key)


def id_order(key: Id) -> tuple[bool, int, str]:
    """Return a sort key: numbers by value, also as text, then other texts."""
    text = id_key(key)
    is_digits = re.fullmatch('-?[0-9]{1,4000}', text) is not None
    return not is_digits, int(text) if is_digits else 0, text


def known_ids(table: dict[str, Any]) -> str:
    """Return the first ids of a table, for messages."""
    shown = ', '.join(key[:40] for key in list(table)[:10]) or 'none'
    return f'ids {shown}' + (', ...' if len(table) > 10 else '')


def missing(record: dict, key: str) -> str:
    """Return how a field is missing."""
    return 'is null' if key in record else 'is missing'


def read_tables(data: Any, needed: Sequence[str], problems: Problems) -> dict[str, list[dict]]:
    """Return the lists of parsed JSON, with the objects in them alone.

    The lists are ``needed``, which must have entries, and ``annotations``, which may be missing or
    null as in official valid and test files.
    """
    keys = (*needed, 'annotations')
    if isinstance(data, dict):
        return {key: _read_table(data, key, key in needed, problems) for key in keys}
    message = f'the file holds a {type(data).__name__}, not an object with {", ".join(needed)}'
    hint = '; is it a results file?' if isinstance(data, list) else ''
    problems.error('layout', message + hint)
    return {key: [] for key in keys}


def _read_table(data: dict, key: str, is_needed: bool, problems: Problems) -> list[dict]:
    value = data.get(key)
    if value is None and not is_needed:
        return []
    if not isinstance(value, list):
        hint = '; is it an annotation file, not a meta.json?' if key == 'categories' else ''
        message = missing(data, key) if value is None else f'is a {type(value).__name__}'
        problems.error('layout', f'{message}; a list is needed{hint}', problems.at(field=key))
        return []
    if not value and is_needed:
        problems.error('layout', 'is empty', problems.at(field=key))
    for number, record in enumerate(value):
        if not isinstance(record, dict):
            place = problems.at(field=f'{key}[{number}]')
            problems.error('layout', 'is not an object with fields', place, record)
    return [record for record in value if isinstance(record, dict)]


def entry_name(record: dict, number: int) -> Id:
    """Return the id of an entry, or its number if it has none."""
    key = as_id(record.get('id'))
    return f'no. {number}' if key is None else key


def index_ids(
    records: Sequence[dict],
    key: str,
    problems: Problems,
    place_field: str = '',
    needed: bool = True,
) -> dict[str, int]:
    """Return the position of each id in a list of the file that is called ``key``.

    ``place_field``, ``'video'`` or ``'annotation'``, names entries so in messages. Ids that are not
    ``needed`` may be missing, and strict readers ignore what is wrong with them.
    """
    index: dict[str, int] = {}
    report = problems.error if needed else problems.defect
    for number, record in enumerate(records):
        value = as_id(record.get('id'))
        if value is not None and index.setdefault(id_key(value), number) == number:
            continue
        name = {place_field: entry_name(record, number)} if place_field else {}
        place = problems.at(field=f'{key}[{number}].id', **name)
        if value is not None:
            home = f'{key}[{index[id_key(value)]}]'
            report('id', f'is already the id of {home}; ids must be distinct', place, value)
        elif needed or record.get('id') is not None:
            report('id', NO_ID, place, record.get('id'))
    return index


def look_up(
    record: dict,
    key: str,
    table: dict[str, T],
    target: str,
    place: Place,
    problems: Problems,
    owner: str = '',
) -> T | None:
    """Return the value that an id in a field of an entry stands for, by its ``id_key``.

    Args:
        record (dict): An entry of the file.
        key (str): Name of the field.
        table (dict): ``id_key`` of an id -> the value that it stands for.
        target (str): Name of the list that has the ids, for messages.
        place (Place): Place of the entry.
        problems (Problems): Gets an id that is not known.
        owner (str): Name of the file that has this list, if it is another one.
    """
    value = as_id(record.get(key))
    if value is not None and id_key(value) in table:
        return table[id_key(value)]
    what = record.get(key)
    where = f"'{target}'" + (f' of {owner}' if owner else '') + f' ({known_ids(table)})'
    message = f'is no id in {where}'
    if what is None:
        message = f'{missing(record, key)}; it must be an id in {where}'
    hint = '; do the files belong together?' if owner else ''
    field = f'{place.field}.{key}' if place.field else key
    problems.error('reference', message + hint, place.at(field=field), what)
    return None


def read_size(record: dict, place: Place, problems: Problems) -> tuple[int, int] | None:
    """Return height and width in pixels."""
    size = []
    for key in ('height', 'width'):
        value: Any = record.get(key)
        if is_whole(value) and 1 <= value <= LONGEST_SIDE:
            size.append(int(value))
            continue
        message = f'is not a whole number from 1 to {LONGEST_SIDE}'
        if value is None:
            message = f'{missing(record, key)}; a whole number from 1 to {LONGEST_SIDE} is needed'
        problems.error('size', message, place.at(field=key), value)
    return (size[0], size[1]) if len(size) == 2 else None


def read_crowd(record: dict, place: Place, problems: Problems) -> bool:
    """Return whether ``iscrowd`` is set; missing or null is not.

    ``'0'`` would pass as true and is an error.
    """
    value = record.get('iscrowd')
    if value is None or (isinstance(value, (int, float)) and value in (0, 1)):
        return bool(value)
    problems.error('crowd', 'is neither 0 nor 1', place.at(field='iscrowd'), value)
    return False


def read_file_name(name: Any, place: Place, problems: Problems) -> str:
    """Return the file of a frame, '' after an error."""
    if isinstance(name, str) and name.strip() and '\0' not in name:
        return name
    what = 'is missing' if name is None else 'is no file name'
    problems.error('name', f'{what}; a text is needed', place, name)
    return ''


def read_list(record: dict, key: str, length: int, place: Place, problems: Problems) -> list | None:
    """Return a field with one entry per frame, None if it is missing or null.

    In collecting use, a list of another length is cut or filled.
    """
    values = record.get(key)
    if values is None:
        return None
    place = place.at(field=key)
    if not isinstance(values, list):
        problems.error('length', 'is not a list with one entry a frame', place, values)
        return None
    if len(values) == length:
        return values
    problems.error(
        'length',
        f'has {len(values)} entries, the video has {length} frames; give one a frame, null where '
        'the object is not seen',
        place,
    )
    return (values + [None] * length)[:length]


def read_masks_list(
    record: dict, length: int | None, place: Place, problems: Problems
) -> list | None:
    """Return ``segmentations``, which are needed; a length of None is not compared."""
    masks = record.get('segmentations')
    if masks is None:
        message = f'{missing(record, "segmentations")}; a list with one mask a frame is needed'
        problems.error('length', message, place.at(field='segmentations'))
    if length is None:
        length = len(masks) if isinstance(masks, list) else 0
    return read_list(record, 'segmentations', length, place, problems)
