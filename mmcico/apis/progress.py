"""Frames a second and the time left, while frames come."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

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

from .sources import FrameSource

Item = TypeVar('Item')


class SpeedColumn(ProgressColumn):
    """Frames a second."""

    def render(self, task: Task) -> Text:
        """The speed over the last seconds."""
        speed = task.finished_speed or task.speed
        return Text('' if speed is None else f'{speed:.1f} frames/s')


def with_progress(items: Iterable[Item], source: FrameSource) -> Iterator[Item]:
    """The same items, with a bar on the terminal.

    Args:
        items (Iterable): One a frame.
        source (FrameSource): The video; without a length there is no time
            left to show.

    Yields:
        The items.
    """
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        SpeedColumn(),
        TimeRemainingColumn(),
    )
    # results may be piped from the standard output
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(source.name, total=source.length)
        for item in items:
            yield item
            progress.advance(task)
