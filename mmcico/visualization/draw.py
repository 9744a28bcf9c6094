"""Tracked objects painted on frames; needs NumPy and OpenCV only."""

import colorsys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
#: BGR of the plates of titles
TITLE_COLOUR = (40, 40, 40)
FONT = cv2.FONT_HERSHEY_SIMPLEX
# multiples of the golden ratio spread consecutive ids over the colour circle
GOLDEN = 0.6180339887498949
#: a Fibonacci number: its multiple of the golden ratio is whole up to a billionth
CIRCLE = 1836311903


@dataclass(frozen=True)
class DrawnObject:
    """An object in one frame.

    Attributes:
        track_id: Determines the colour.
        mask: (H, W) bool.
        name: Class name.
        score: Score from 0 to 1; None for ground truth.
        box: Corners x0, y0, x1, y1 in pixels; the box of the mask if None.
        circumscribed: Circumscribed box over several frames; not drawn if None.
        trail: Centres (x, y) in the last frames, oldest first, to be joined by a line.
    """

    track_id: int
    mask: np.ndarray
    name: str = ''
    score: float | None = None
    box: Box | None = None
    circumscribed: Box | None = None
    trail: tuple[tuple[float, float], ...] = ()

    @property
    def text(self) -> str:
        """Label such as ``3 dog 0.87``."""
        score = '' if self.score is None else f'{self.score:.2f}'
        return ' '.join(part for part in (str(self.track_id), self.name, score) if part)

    def check_size(self, image: np.ndarray) -> None:
        """Check that the mask has the size of the frame.

        Raises:
            ValueError: If it has another size.
        """
        if self.mask.shape != image.shape[:2]:
            raise ValueError(
                f'the mask of track {self.track_id} is {self.mask.shape}, but the frame is '
                f'{image.shape[:2]} (height, width); resize the mask to the size of the frame'
            )


def track_colour(track_id: int) -> Colour:
    """Return the BGR colour of a track, which depends on its id alone."""
    # the product of a large id would have no digits behind the point
    hue = (track_id % CIRCLE * GOLDEN) % 1
    value = (1.0, 0.75, 0.9)[track_id // 7 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, value)
    return round(blue * 255), round(green * 255), round(red * 255)


def mask_box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """Return x0, y0, x1, y1 of a bool mask, x1 and y1 inclusive, or None if it is empty."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (x, y, x + width - 1, y + height - 1) if width else None


def blend_mask_(image: np.ndarray, mask: np.ndarray, colour: Colour, opacity: float = 0.45) -> None:
    """Tint the pixels of a mask (H, W) bool in an image (H, W, 3) uint8, in place.

    ``opacity`` is the share of the colour, 0 to 1.
    """
    # a table of all 256 values is faster than arithmetic on each pixel
    values = np.arange(256)[:, None] * (1 - opacity)
    table = np.rint(values + np.array(colour) * opacity).astype(np.uint8)
    tinted = cv2.LUT(image, table.reshape(1, 256, 3))
    image[...] = cv2.copyTo(tinted, mask.view(np.uint8), image)


def draw_contour_(image: np.ndarray, mask: np.ndarray, colour: Colour, thickness: int = 1) -> None:
    """Outline the parts and holes of a mask, (H, W) bool, in place."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, colour, thickness)


def draw_text_(
    image: np.ndarray,
    text: str,
    corner: tuple[int, int] | None = None,
    colour: Colour = TITLE_COLOUR,
) -> None:
    """Write text on a coloured plate in place.

    The lower left ``corner`` (x, y) of the plate is moved so that the plate lies inside the image
    as far as it fits; by default it is that of the image.
    """
    height, width = image.shape[:2]
    x, y = corner or (0, height - 1)
    scale = float(np.clip(height / 900, 0.42, 1.2))
    weight = 1 if scale < 0.8 else 2
    (text_width, text_height), below = cv2.getTextSize(text, FONT, scale, weight)
    plate_height = text_height + below + 2
    x = max(min(x, width - text_width - 2), 0)
    y = max(min(y, height - 1), plate_height)
    cv2.rectangle(image, (x, y - plate_height), (x + text_width + 1, y), colour, -1)
    brightness = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
    ink = (0, 0, 0) if brightness > 110 else (255, 255, 255)
    cv2.putText(image, text, (x + 1, y - below), FONT, scale, ink, weight, cv2.LINE_AA)


@cache
def _warn_of_characters(name: str) -> None:
    """Warn, once for each class, if OpenCV draws question marks for characters of its name."""
    if not name.isascii() and int(cv2.__version__.split('.')[0]) < 5:
        warnings.warn(
            f'the class "{name}" is drawn with question marks, since OpenCV {cv2.__version__} '
            'draws ASCII alone; OpenCV 5 draws other characters, too',
            stacklevel=3,
        )


def _pixels(image: np.ndarray, box: Box) -> tuple[int, int, int, int]:
    """Round the corners of a box and clip them to the image."""
    height, width = image.shape[:2]
    x0, x1 = np.clip([round(box[0]), round(box[2])], 0, width - 1).tolist()
    y0, y1 = np.clip([round(box[1]), round(box[3])], 0, height - 1).tolist()
    return x0, y0, x1, y1


def draw_dashes_(image: np.ndarray, box: Box, colour: Colour, thickness: int) -> None:
    """Draw a dashed rectangle in place."""
    x0, y0, x1, y1 = _pixels(image, box)
    dash = 4 * thickness + 2
    for x in range(x0, x1 + 1, 2 * dash):
        for y in (y0, y1):
            cv2.line(image, (x, y), (min(x + dash, x1), y), colour, thickness)
    for y in range(y0, y1 + 1, 2 * dash):
        for x in (x0, x1):
            cv2.line(image, (x, y), (x, min(y + dash, y1)), colour, thickness)


def draw_trail_(
    image: np.ndarray, trail: Sequence[tuple[float, float]], colour: Colour, thickness: int
) -> None:
    """Join centres by a line with a dot on the last one, in place."""
    points = np.rint(np.array(trail)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(image, [points], False, colour, thickness, cv2.LINE_AA)
    cv2.circle(image, points[-1, 0].tolist(), 2 * thickness, colour, -1, cv2.LINE_AA)


def draw_objects(
    image: np.ndarray,
    objects: Sequence[DrawnObject],
    opacity: float = 0.45,
    boxes: bool = False,
    labels: bool = True,
    contours: bool = True,
) -> np.ndarray:
    """Return a copy of a frame with its objects drawn on it.

    Args:
        image: (H, W, 3) uint8 BGR.
        objects: Objects; later ones are drawn over earlier ones, and those with an empty mask
            are left out.
        opacity: Opacity of the tint inside masks, 0 to 1.
        boxes: Whether to draw boxes.
        labels: Whether to write id, class and score.
        contours: Whether to outline masks.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: If a mask has another size than the image.
    """
    canvas = image.copy()
    seen = []
    for item in objects:
        item.check_size(image)
        own_box = mask_box(item.mask)
        if own_box is not None:
            seen.append((item, own_box, track_colour(item.track_id)))
    thickness = max(1, round(min(image.shape[:2]) / 360))
    for item, own_box, colour in seen:
        _draw_mask_(canvas, item.mask, own_box, colour, opacity, thickness if contours else 0)
        if boxes:
            x0, y0, x1, y1 = _pixels(canvas, item.box or own_box)
            cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, thickness)
        if item.circumscribed is not None:
            draw_dashes_(canvas, item.circumscribed, colour, thickness)
    for item, own_box, colour in seen:
        if item.trail:
            draw_trail_(canvas, item.trail, colour, thickness + 1)
        if labels:
            _warn_of_characters(item.name)
            left, top, *_ = item.box or own_box
            draw_text_(canvas, item.text, (round(left), round(top) - 1), colour)
    return canvas


def _draw_mask_(
    canvas: np.ndarray,
    mask: np.ndarray,
    own_box: tuple[int, int, int, int],
    colour: Colour,
    opacity: float,
    thickness: int,
) -> None:
    """Tint and outline a mask, touching only the pixels around its box."""
    x0, y0, x1, y1 = own_box
    rows = slice(max(y0 - thickness, 0), y1 + 1 + thickness)
    cols = slice(max(x0 - thickness, 0), x1 + 1 + thickness)
    part, inside = canvas[rows, cols], np.ascontiguousarray(mask[rows, cols])
    blend_mask_(part, inside, colour, opacity)
    if thickness:
        # OpenCV draws on contiguous arrays only
        outlined = np.ascontiguousarray(part)
        draw_contour_(outlined, inside, colour, thickness)
        part[...] = outlined


def contact_sheet(frames: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Arrange frames, (H, W, 3) uint8, in rows.

    Args:
        frames: Frames, at least one; H and W are the largest sides.
        columns: Number of frames in a row.

    Returns:
        (rows * H, columns * W, 3) uint8; black where a frame is smaller, and where the last row
        has none.

    Raises:
        ValueError: If there is no frame.
    """
    if not frames:
        raise ValueError('a contact sheet needs at least one frame, but there is none')
    columns = min(columns, len(frames))
    height, width = np.max([frame.shape[:2] for frame in frames], axis=0)
    rest = frames[0].shape[2:]
    tiles = np.zeros((-(-len(frames) // columns), height, columns, width, *rest), frames[0].dtype)
    for place, frame in enumerate(frames):
        row, column = divmod(place, columns)
        tiles[row, : frame.shape[0], column, : frame.shape[1]] = frame
    return tiles.reshape(len(tiles) * height, columns * width, *rest)
