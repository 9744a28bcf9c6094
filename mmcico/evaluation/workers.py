"""Work on parts of a list in processes of their own."""
import gc
import multiprocessing
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Callable, Iterator, List, Sequence, TypeVar

T = TypeVar('T')


def in_processes(work: Callable[[Sequence[Any]], T], items: Sequence[Any],
                 processes: int) -> List[T]:
    """Do the work on parts of a list at the same time.

    Processes are forked, so that nothing has to be sent to them; where the
    system cannot fork, all is done in this one.

    Args:
        work (Callable): Gets a part of the items; what it returns is small.
        items (Sequence): Any number.
        processes (int): Number of parts, at least 1.

    Returns:
        list: What was returned for each part, in order.

    Raises:
        ValueError: Of the first part that raised one.
    """
    can_fork = 'fork' in multiprocessing.get_all_start_methods()
    number = max(1, min(processes, len(items))) if can_fork else 1
    if number == 1:
        return [work(items)]
    context = multiprocessing.get_context('fork')
    bounds = [len(items) * i // number for i in range(number + 1)]
    parts = [items[a:b] for a, b in zip(bounds, bounds[1:])]
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


def _answer(end: Connection, work: Callable[[Sequence[Any]], T],
            part: Sequence[Any]) -> None:
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
            'a process died while it measured videos, perhaps for want of '
            'memory; use one process') from failure
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
