"""Standard streams that let a command line tool work on whatever happens to them."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class PatientOutput:
    """A stream that discards text once nobody reads it, or once it cannot be written.

    Args:
        stream (TextIO): Where the text goes until then.

    Attributes:
        error: Why text was lost that somebody would have read, such as on a full disk; else None.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream."""
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a text, or discard it if it cannot be written."""
        try:
            self.stream.write(text)
        except OSError as error:
            self._give_up(error)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write the text that is waiting, or discard it."""
        try:
            self.stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Redirect waiting text, Python's last flush and child processes to nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)
        if isinstance(error, BrokenPipeError) or self.error is not None:
            return
        self.error = error
        if self is not sys.stderr:
            sys.stderr.write(f'warning: the output is not complete: {error.strerror or error}\n')


@contextmanager
def patient_output() -> Iterator[None]:
    """Let a tool finish its work, files and exit code whatever happens to its output.

    Without it, a reader that stops (``tool ... | head``) would end the tool with a
    ``BrokenPipeError``, and a character that the encoding of the output lacks with a
    ``UnicodeEncodeError``. Such characters are escaped (``\\u4e16``). Text for a full disk is lost,
    with a warning. A stream that is closed (``>&-``, ``pythonw``) takes text, too.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    with open(os.devnull, 'w') as nowhere:
        sys.stdout, sys.stderr = (PatientOutput(each or nowhere) for each in before)
        try:
            yield
        finally:
            sys.stdout.flush()  # may be the first to notice
            sys.stderr.flush()
            sys.stdout, sys.stderr = before
