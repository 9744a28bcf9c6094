"""Output of tools that no reader and no encoding can interrupt."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class PatientOutput:
    """Text that goes nowhere once nobody reads it.

    Args:
        stream (TextIO): Where it goes until then.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        """All else is the stream's."""
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads."""
        try:
            self.stream.write(text)
        except BrokenPipeError:
            self._give_up()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is waiting, or drop it."""
        try:
            self.stream.flush()
        except BrokenPipeError:
            self._give_up()

    def _give_up(self) -> None:
        """What waits, Python's last flush and child processes fail no more."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)


@contextmanager
def patient_output() -> Iterator[None]:
    """Let a tool finish its work, files and exit code whatever happens to its output.

    For ``with``, or as ``@patient_output()`` above a tool's ``main``. Without it, a reader that
    stops would end the tool with a ``BrokenPipeError``, and a character that the encoding of the
    output lacks with a ``UnicodeEncodeError``. Such characters are escaped (``\\u4e16``).
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    sys.stdout, sys.stderr = (each and PatientOutput(each) for each in before)
    try:
        yield
    finally:
        for each in (sys.stdout, sys.stderr):
            if each is not None:
                each.flush()  # may be the first to notice
        sys.stdout, sys.stderr = before
