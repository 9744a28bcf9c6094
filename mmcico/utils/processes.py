"""Processes that end with the one that started them."""

import ctypes
import functools
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent has ended, whatever ended it.

    Linux only; elsewhere nothing is done.

    Args:
        parent (int): The parent's id; if it has ended already, this process ends at once.
    """
    if sys.platform != 'linux':
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


@functools.cache
def end_children_with_this() -> None:
    """Let the processes that the main thread forks from now on, loader workers, end with it.

    A worker that waits until somebody reads its queue would otherwise outlive a killed process.
    Other threads are left out, as Linux takes the end of a thread for that of the parent.
    """
    parent: list[int] = []

    def note() -> None:
        is_main = threading.current_thread() is threading.main_thread()
        parent[:] = [os.getpid()] if is_main else []

    def follow() -> None:
        if parent:
            end_with_parent(parent[0])

    os.register_at_fork(before=note, after_in_child=follow)
