"""Questions about values of a file, asked before they are trusted."""

from typing import Any

from mmcico.utils.short_repr import short_repr

#: greatest number to count with
LARGEST = 2**53


def is_number(value: Any) -> bool:
    """Whether it is a number to count with; true and false are none.

    NaN, infinity and whole numbers that a float cannot hold are none either.
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, also ``3.0``."""
    return is_number(value) and value == int(value)


def is_id(value: Any) -> bool:
    """Whether it can be an id: a whole number or a text that is not empty."""
    if isinstance(value, (bool, float)):
        return is_whole(value)
    return isinstance(value, int) or (isinstance(value, str) and value != '')


def short(value: Any) -> str:
    """A value for a message, at most 60 characters.

    >>> short([1, 'a'])
    "[1, 'a']"
    """
    if isinstance(value, (list, tuple)) and len(value) > 8:
        return f'a list of {len(value)} entries'
    return short_repr(value)


def json_value(value: Any) -> int | float | bool | str | None:
    """A value as JSON can hold it: simple ones as they are, else a text."""
    if value is None or isinstance(value, (bool, str)) or is_number(value):
        return value if not isinstance(value, str) else value[:200]
    return short(value)
