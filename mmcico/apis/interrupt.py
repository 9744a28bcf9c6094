"""Ctrl-C between two frames instead of in the middle of one."""

import signal
import threading
from collections.abc import Callable
from typing import Any


class InterruptBetweenFrames:
    """Puts Ctrl-C off until a frame is done; a second one ends at once.

    Files are thus never cut within a frame. Does nothing outside the main
    thread, or where a program handles the signal itself.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Callable | int | None = None

    def __enter__(self) -> 'InterruptBetweenFrames':
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if kind is None:
            self.check()

    def check(self) -> None:
        """End here if that was asked for.

        Raises:
            KeyboardInterrupt: If so.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, *signal_and_frame: Any) -> None:
        self.check()
        self.asked = True
