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
    """Return the box of each track, computed from its mask if the object has none."""
    boxes: Boxes = {}
    for item in objects:
        own_box = None if item.box else mask_box(item.mask)
        if item.box:
            boxes[item.track_id] = item.box
        elif own_box is not None:
            x0, y0, x1, y1 = own_box
            # to the far side of the last pixel, as frames may be enlarged
            boxes[item.track_id] = x0, y0, x1 + 1, y1 + 1
    return boxes


def union(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that contains all of one or more boxes."""
    x0, y0, x1, y1 = zip(*boxes)
    return min(x0), min(y0), max(x1), max(y1)


class TrackHistory:
    """Adds to the objects of a frame what follows from neighbouring frames.

    With circumscribed boxes, each frame is returned one step later. Memory is constant: one
    frame, the boxes of two frames, and the centres of the last ``style.trail`` frames.

    Args:
        style: Settings that say what to add.
    """

    def __init__(self, style: DrawStyle) -> None:
        self.style = style
        self._centres: deque[dict[int, tuple[float, float]]] = deque(maxlen=style.trail)
        self._before: Boxes = {}
        self._held: tuple[Frame, Boxes] | None = None

    def push(self, image: np.ndarray, objects: list[DrawnObject]) -> list[Frame]:
        """Add the next frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            objects: Objects of the frame.

        Returns:
            Frames that are complete now: none or one.
        """
        if not self.style.trail and not self.style.circumscribed:
            return [(image, objects)]
        boxes = object_boxes(objects)
        if self.style.trail:
            objects = self._with_trails(objects, boxes)
        if not self.style.circumscribed:
            return [(image, objects)]
        done = self._release(boxes)
        self._held = (image, objects), boxes
        return done

    def flush(self) -> list[Frame]:
        """Return the frame that is still held at the end of the video, if there is one."""
        return self._release({})

    def _with_trails(self, objects: list[DrawnObject], boxes: Boxes) -> list[DrawnObject]:
        """Add the centres of the last frames, the current one last."""
        self._centres.append(
            {track: ((x0 + x1) / 2, (y0 + y1) / 2) for track, (x0, y0, x1, y1) in boxes.items()}
        )
        return [
            replace(item, trail=tuple(each[key] for each in self._centres if key in each))
            for item in objects
            for key in (item.track_id,)
        ]

    def _release(self, after: Boxes) -> list[Frame]:
        """Return the held frame, since both of its neighbours are known."""
        if self._held is None:
            return []
        (image, objects), boxes = self._held
        three = (self._before, boxes, after)
        drawn = [
            replace(item, circumscribed=union(each[key] for each in three if key in each))
            if key in boxes
            else item
            for item in objects
            for key in (item.track_id,)
        ]
        self._before, self._held = boxes, None
        return [(image, drawn)]


def with_history(frames: Iterable[Frame], style: DrawStyle) -> Iterator[Frame]:
    """Yield the same frames with the trails and circumscribed boxes that the style asks for."""
    history = TrackHistory(style)
    for image, objects in frames:
        yield from history.push(image, objects)
    yield from history.flush()
