"""Work on parts of a list in processes of their own."""

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar('T')


def can_fork() -> bool:
    """Whether the system can copy a process as it is."""
    return 'fork' in multiprocessing.get_all_start_methods()


def in_processes(work: Callable[[Any], T], parts: Sequence[Any]) -> list[T]:
    """Do the work on several parts at the same time.

    Processes are forked, so that nothing has to be sent to them; where the
    system cannot fork, all is done in this one.

    Args:
        work (Callable): Gets a part; what it returns is small.
        parts (Sequence): One a process; this process does the first.

    Returns:
        list: What was returned for each part, in order.

    Raises:
        ValueError: Of the first part that raised one.
    """
    if len(parts) < 2 or not can_fork():
        return [work(part) for part in parts]
    context = multiprocessing.get_context('fork')
    children = []
    for part in parts[1:]:
        end, other = context.Pipe(duplex=False)
        child = context.Process(target=_answer, args=(other, work, part))
        child.start()
        other.close()
        children.append((child, end))
    try:
        return [work(parts[0])] + [_receive(end) for _, end in children]
    finally:
        for child, end in children:
            end.close()
            child.terminate()
            child.join()


def _answer(end: Connection, work: Callable[[Sequence[Any]], T], part: Sequence[Any]) -> None:
    """What a child does."""
    try:
        answer, error = work(part), None
    except ValueError as failure:
        answer, error = None, str(failure)
    end.send((answer, error))
    end.close()


def _receive(end: Connection) -> Any:
    try:
        answer, error = end.recv()
    except EOFError as failure:
        raise ValueError(
            'a process died while it measured videos, perhaps for want of memory; use one process'
        ) from failure
    if error is not None:
        raise ValueError(error)
    return answer


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Spare the search for cycles where many objects live and none is one.

    Reading a large JSON file takes twice the time with it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
