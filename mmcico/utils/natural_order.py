"""The order of names in which numbers count as numbers."""

import re


def natural_key(name: str) -> list[tuple[bool, int, str]]:
    """Key by which numbers in names sort as numbers, and before text.

    >>> sorted(['f10.jpg', 'f9.jpg', '7.jpg'], key=natural_key)
    ['7.jpg', 'f9.jpg', 'f10.jpg']
    """
    key = []
    for part in re.findall(r'[0-9]+|[^0-9]+', name):
        is_text = part[0] not in '0123456789'
        # as text after their length: int() refuses thousands of digits
        digits = part if is_text else part.lstrip('0')
        key.append((is_text, 0 if is_text else len(digits), digits))
    return key
