"""Trails and circumscribed boxes of objects, frame by frame."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from .draw import Box, DrawnObject, mask_box
from .style import DrawStyle

Frame = tuple[np.ndarray, list[DrawnObject]]
Boxes = dict[int, Box]


def object_boxes(objects: Iterable[DrawnObject]) -> Boxes:
    """Box of each track, taken around its mask where none is given."""
    boxes: Boxes = {}
    for item in objects:
        around = None if item.box else mask_box(item.mask)
        if item.box:
            boxes[item.track_id] = item.box
        elif around is not None:
            x0, y0, x1, y1 = around
            # to the far side of the last pixel, as frames may be enlarged
            boxes[item.track_id] = x0, y0, x1 + 1, y1 + 1
    return boxes


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around some, at least one."""
    x0, y0, x1, y1 = zip(*boxes)
    return min(x0), min(y0), max(x1), max(y1)


class TrackHistory:
    """What the frames around add to the objects of a frame.

    With circumscribed boxes, frames come out one later than they go in. Kept
    are the boxes of two frames, one frame, and the centres of the last
    ``style.trail`` frames, however long the video is.

    Args:
        style: which additions are wanted.
    """

    def __init__(self, style: DrawStyle) -> None:
        self.style = style
        self._centres: deque[dict[int, tuple[float, float]]] = deque(maxlen=style.trail)
        self._before: Boxes = {}
        self._held: tuple[Frame, Boxes] | None = None

    def push(self, image: np.ndarray, objects: list[DrawnObject]) -> list[Frame]:
        """Take the next frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            objects: what is in it.

        Returns:
            Frames that are complete now: none, or one.
        """
        if not self.style.trail and not self.style.enclosing:
            return [(image, objects)]
        boxes = object_boxes(objects)
        if self.style.trail:
            objects = self._with_trails(objects, boxes)
        if not self.style.enclosing:
            return [(image, objects)]
        done = self._release(boxes)
        self._held = (image, objects), boxes
        return done

    def flush(self) -> list[Frame]:
        """The frame that still waits, when the video has ended."""
        return self._release({})

    def _with_trails(self, objects: list[DrawnObject], boxes: Boxes) -> list[DrawnObject]:
        """Add the centres of the last frames, this one's last."""
        self._centres.append(
            {track: ((x0 + x1) / 2, (y0 + y1) / 2) for track, (x0, y0, x1, y1) in boxes.items()}
        )
        return [
            replace(
                item,
                trail=tuple(
                    frame[item.track_id] for frame in self._centres if item.track_id in frame
                ),
            )
            for item in objects
        ]

    def _release(self, after: Boxes) -> list[Frame]:
        """Give out the held frame, its neighbours being known."""
        if self._held is None:
            return []
        (image, objects), boxes = self._held
        around = (self._before, boxes, after)
        drawn = [
            replace(
                item,
                enclosing=union(frame[item.track_id] for frame in around if item.track_id in frame),
            )
            if item.track_id in boxes
            else item
            for item in objects
        ]
        self._before, self._held = boxes, None
        return [(image, drawn)]


def with_history(frames: Iterable[Frame], style: DrawStyle) -> Iterator[Frame]:
    """The same frames, with trails and circumscribed boxes as wanted.

    Args:
        frames: images and their objects, in order.
        style: which additions are wanted.

    Yields:
        Images and their objects.
    """
    history = TrackHistory(style)
    for image, objects in frames:
        yield from history.push(image, objects)
    yield from history.flush()
