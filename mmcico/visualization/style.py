"""The look of pictures: its settings and arguments, and frames, trails and boxes drawn with it."""

import argparse
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, fields, replace
from typing import Any

import cv2
import numpy as np

from .draw import Box, DrawnObject, draw_objects, mask_box

Frame = tuple[np.ndarray, list[DrawnObject]]
Boxes = dict[int, Box]
#: frames are not enlarged beyond this, since players and encoders have limits
LONGEST = 4096


@dataclass(frozen=True)
class DrawStyle:
    """Settings of overlays.

    Attributes:
        opacity: Opacity of the tint inside masks, 0 to 1.
        boxes: Whether to draw boxes.
        labels: Whether to write id, class and score.
        min_side: Frames with a smaller shorter side are enlarged by a whole factor until they
            reach it, unless the longer side would exceed :data:`LONGEST`.
        contours: Whether to outline masks.
        circumscribed: Whether to draw the circumscribed box of each object over the frame and
            its two neighbours (eq. 4), dashed.
        trail: Number of frames whose centres of each object are joined by a line; 0 for none.
        enclosing: Deprecated name of ``circumscribed``.

    Raises:
        ValueError: If a number is out of its range.
    """

    opacity: float = 0.45
    boxes: bool = False
    labels: bool = True
    min_side: int = 320
    contours: bool = True
    circumscribed: bool = False
    trail: int = 0
    enclosing: InitVar[bool | None] = None

    def __post_init__(self, enclosing: bool | None) -> None:
        if enclosing is not None:
            warnings.warn(
                'DrawStyle: "enclosing" is now called "circumscribed"; the old name will be '
                'removed in the next version',
                DeprecationWarning,
                stacklevel=3,
            )
            object.__setattr__(self, 'circumscribed', enclosing)
        if not 0 <= self.opacity <= 1:
            raise ValueError(
                f'opacity is {self.opacity}; choose a value from 0 (no tint) to 1 (opaque)'
            )
        if self.trail < 0:
            raise ValueError(
                f'trail is {self.trail}; choose a number of frames, or 0 for no trails'
            )


def add_style_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the settings of :class:`DrawStyle` to a parser."""
    looks = parser.add_argument_group('pictures')
    looks.add_argument('--boxes', action='store_true', help='draw boxes')
    looks.add_argument(
        '--circumscribed',
        '--enclosing',
        action='store_true',
        help='draw circumscribed boxes over three frames, dashed',
    )
    looks.add_argument(
        '--trail', type=int, default=0, metavar='N', help='join the centres of the last N frames'
    )
    for name, text in (('labels', 'do not write labels'), ('contours', 'do not outline masks')):
        looks.add_argument(f'--no-{name}', dest=name, action='store_false', help=text)
    looks.add_argument(
        '--opacity',
        type=float,
        default=DrawStyle.opacity,
        help='opacity of the tint inside masks, 0 to 1 (default: %(default)s)',
    )
    looks.add_argument(
        '--min-side',
        type=int,
        default=DrawStyle.min_side,
        help='enlarge smaller frames to this shorter side (default: %(default)s)',
    )


def style_of(args: argparse.Namespace) -> DrawStyle:
    """Return the style that the arguments, named as its settings, describe."""
    names = [each.name for each in fields(DrawStyle)]
    return DrawStyle(**{name: getattr(args, name) for name in names if hasattr(args, name)})


def draw_frame(
    image: np.ndarray, objects: Sequence[DrawnObject], style: DrawStyle, width: int | None = None
) -> np.ndarray:
    """Return a copy of a frame with its objects, enlarged if it is small, ``width`` wide at most.

    The frame is resized before anything is drawn, so that labels are readable at any size. Later
    objects are drawn over earlier ones.
    """
    short, long = sorted(image.shape[:2])
    factor: float = max(1, min(-(-style.min_side // short), LONGEST // long))
    if width is not None:
        factor = min(factor, width / image.shape[1])
    image, objects = resized(image, objects, factor)
    return draw_objects(image, objects, style.opacity, style.boxes, style.labels, style.contours)


def resized(
    image: np.ndarray, objects: Sequence[DrawnObject], factor: float
) -> tuple[np.ndarray, list[DrawnObject]]:
    """Resize a frame and its objects, keeping the aspect ratio.

    Args:
        image: (H, W, 3) uint8 BGR.
        objects: Objects of the frame.
        factor: Scale, above 0.

    Returns:
        The frame, (H', W', 3), with rounded sides of at least 1, and its objects.

    Raises:
        ValueError: If a mask has another size than the image.
    """
    if factor == 1:
        return image, list(objects)
    height, width = image.shape[:2]
    size = max(1, round(height * factor)), max(1, round(width * factor))
    method = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    for item in objects:
        item.check_size(image)
    frame = cv2.resize(image, size[::-1], interpolation=method)
    scale = size[1] / width, size[0] / height
    return frame, [
        replace(
            item,
            mask=resized_mask(item.mask, size),
            box=_scaled(item.box, scale),
            circumscribed=_scaled(item.circumscribed, scale),
            trail=tuple((x * scale[0], y * scale[1]) for x, y in item.trail),
        )
        for item in objects
    ]


def resized_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a mask (H, W) bool to a height and width, both larger or both smaller.

    Enlarged pixels become blocks. A pixel of a reduced mask is inside if at least half of the area
    that it covers is; if that leaves nothing, every pixel that the mask touches is inside.
    """
    height, width = mask.shape
    if size[0] >= height and size[1] >= width:
        rows = np.arange(size[0]) * height // size[0]
        cols = np.arange(size[1]) * width // size[1]
        return mask[rows[:, None], cols]
    shares = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    # sums of shares are not exact
    inside = shares > 0.5 - 1e-4
    return inside if inside.any() else shares > 0


def _scaled(box: Box | None, scale: tuple[float, float]) -> Box | None:
    if box is None:
        return None
    return box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]


def _box_of(item: DrawnObject) -> Box | None:
    """Return the box of an object, computed from its mask if it has none."""
    if item.box is not None:
        return item.box
    box = mask_box(item.mask)
    # to the far side of the last pixel, as frames may be enlarged
    return box and (box[0], box[1], box[2] + 1, box[3] + 1)


def _of_track(track: int, frames: Iterable[Mapping[int, Any]]) -> list:
    """Return the values of a track in the frames that have it."""
    return [values[track] for values in frames if track in values]


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
        boxes = {item.track_id: box for item in objects if (box := _box_of(item))}
        if self.style.trail:
            self._centres.append(
                {track: ((x0 + x1) / 2, (y0 + y1) / 2) for track, (x0, y0, x1, y1) in boxes.items()}
            )
            objects = [
                replace(item, trail=tuple(_of_track(item.track_id, self._centres)))
                for item in objects
            ]
        if not self.style.circumscribed:
            return [(image, objects)]
        done = self._release(boxes)
        self._held = (image, objects), boxes
        return done

    def flush(self) -> list[Frame]:
        """Return the frame that is still held at the end of the video, if there is one."""
        return self._release({})

    def _release(self, after: Boxes) -> list[Frame]:
        """Return the held frame, since both of its neighbours are known."""
        if self._held is None:
            return []
        (image, objects), boxes = self._held
        three = (self._before, boxes, after)
        drawn = [
            replace(item, circumscribed=union(_of_track(item.track_id, three)))
            if item.track_id in boxes
            else item
            for item in objects
        ]
        self._before, self._held = boxes, None
        return [(image, drawn)]


def with_history(frames: Iterable[Frame], style: DrawStyle) -> Iterator[Frame]:
    """Yield the same frames with the trails and circumscribed boxes that the style asks for."""
    history = TrackHistory(style)
    for image, objects in frames:
        yield from history.push(image, objects)
    yield from history.flush()
