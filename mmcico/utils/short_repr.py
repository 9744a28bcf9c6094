"""Values in messages."""

from typing import Any

#: longest text of a value
LONGEST = 60


def short_repr(value: Any) -> str:
    """What Python shows of a value, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'
