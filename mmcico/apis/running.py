"""The loop over the frames of a video: interruption, errors, work ahead and progress."""

import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Item = TypeVar('Item')
END: Any = object()


class InterruptBetweenFrames:
    """Delays Ctrl-C until a frame is done; a second one ends at once.

    Files are thus never cut within a frame. It does nothing outside the main thread, or if the
    program handles the signal itself.
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
        """Raise the interruption that was asked for.

        Raises:
            KeyboardInterrupt: If Ctrl-C was pressed.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, *signal_and_frame: Any) -> None:
        self.check()
        self.asked = True


class UntilError(Generic[Item]):
    """Yields items up to an error, which is stored instead of raised.

    Args:
        items (Iterable): The items.

    Attributes:
        error (Exception, optional): What ended them.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = items
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[Item]:
        try:
            for item in self.items:  # noqa: UP028 (an end of this must not close the items)
                yield item
        except Exception as error:
            self.error = error


def background_thread(name: str) -> ThreadPoolExecutor:
    """Return a pool of one thread, in which PyTorch uses no other threads.

    Every thread that calls PyTorch otherwise gets OpenMP threads of its own. Where these are more
    than the cores, OpenMP lets all of them sleep between two operations, and to wake them up takes
    longer than many operations of a network.
    """
    pool = ThreadPoolExecutor(1, name)
    number = torch.get_num_threads()
    # the first call in a thread gives it the number of the process
    pool.submit(torch.get_num_threads).result()
    pool.submit(torch.set_num_threads, 1).result()
    torch.set_num_threads(number)  # for threads that begin later; this one has kept its number
    return pool


def ahead(items: Iterable[Item], length: int) -> Generator[Item, None, None]:
    """Yield items in order that a thread computes ahead; up to ``length`` of them may wait."""
    iterator = iter(items)
    waiting: deque[Future] = deque()
    pool = background_thread('mmcico-reader')
    try:
        while True:
            while len(waiting) < length:
                waiting.append(pool.submit(next, iterator, END))
            item = waiting.popleft().result()
            if item is END:
                return
            yield item
    finally:
        pool.shutdown(cancel_futures=True)


def in_background(jobs: Iterable[Callable[[], Item]], length: int) -> Generator[Item, None, None]:
    """Yield the results of functions, in order.

    A thread runs them while the next ones are fetched; up to ``length`` of them may wait. Those for
    which a GPU had too little memory beside its work on the next ones run in this thread.
    """
    waiting: deque[tuple[Callable[[], Item], Future]] = deque()
    source = UntilError(jobs)
    pool = background_thread('mmcico-results')
    try:
        for job in source:
            waiting.append((job, pool.submit(job)))
            if len(waiting) > length:
                yield _first_result(waiting)
        while waiting:
            yield _first_result(waiting)
    finally:
        pool.shutdown(cancel_futures=True)
    if source.error is not None:
        raise source.error


def _first_result(waiting: deque[tuple[Callable[[], Item], Future]]) -> Item:
    job, future = waiting.popleft()
    try:
        return future.result()
    except torch.cuda.OutOfMemoryError:
        del future  # the error holds the tensors of the job
    return job()


class SpeedColumn(ProgressColumn):
    """Shows frames per second."""

    def render(self, task: Task) -> Text:
        """Return the speed over the last seconds."""
        speed = task.finished_speed or task.speed
        return Text('' if speed is None else f'{speed:.1f} frames/s')


def with_progress(items: Iterable[Item], name: str, length: int | None) -> Iterator[Item]:
    """Yield the same items while a bar on the terminal shows their number.

    Without their number ``length``, no remaining time is shown.
    """
    columns = (
        TextColumn('{task.description}', markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        SpeedColumn(),
        TimeRemainingColumn(),
    )
    # results may be piped from the standard output
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=length)
        for item in items:
            yield item
            progress.advance(task)
