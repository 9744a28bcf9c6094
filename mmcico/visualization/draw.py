"""Tracked objects painted on frames; NumPy and OpenCV only."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
FONT = cv2.FONT_HERSHEY_SIMPLEX
# the golden ratio spreads any run of neighbouring ids over the colour circle
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class DrawnObject:
    """An object in one frame.

    Attributes:
        track_id: decides the colour.
        mask: (H, W) bool.
        name: class name.
        score: in 0..1; None for ground truth.
        box: x0, y0, x1, y1 in pixels; None to take it around the mask.
        enclosing: circumscribed box over some frames, drawn if it is there.
        trail: centres (x, y) in the last frames, oldest first; joined.
    """

    track_id: int
    mask: np.ndarray
    name: str = ''
    score: float | None = None
    box: Box | None = None
    enclosing: Box | None = None
    trail: tuple[tuple[float, float], ...] = ()

    @property
    def text(self) -> str:
        """Label such as ``3 dog 0.87``."""
        score = '' if self.score is None else f'{self.score:.2f}'
        return ' '.join(part for part in (str(self.track_id), self.name, score) if part)


def track_colour(track_id: int) -> Colour:
    """BGR of a track: the same in every frame, video and run."""
    hue = (track_id * GOLDEN) % 1
    value = (1.0, 0.75, 0.9)[track_id // 7 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, value)
    return round(blue * 255), round(green * 255), round(red * 255)


def mask_box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """Box x0, y0, x1, y1 around a mask, the last pixel within; or None."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (x, y, x + width - 1, y + height - 1) if width else None


def blend_mask_(image: np.ndarray, mask: np.ndarray, colour: Colour, opacity: float = 0.45) -> None:
    """Tint the pixels of ``mask`` in place.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool.
        colour: BGR.
        opacity: share of the colour, 0 to 1.
    """
    # a table of all 256 values: no arithmetic for each pixel
    values = np.arange(256)[:, None] * (1 - opacity)
    table = np.rint(values + np.array(colour) * opacity).astype(np.uint8)
    tinted = cv2.LUT(image, table.reshape(1, 256, 3))
    image[...] = cv2.copyTo(tinted, mask.view(np.uint8), image)


def draw_contour_(image: np.ndarray, mask: np.ndarray, colour: Colour, thickness: int = 1) -> None:
    """Outline the parts and holes of ``mask`` (H, W) bool in place."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, colour, thickness)


def draw_text_(image: np.ndarray, text: str, corner: tuple[int, int], colour: Colour) -> None:
    """Write on a plate of ``colour`` whose lower left is at ``corner``.

    The plate is moved inside the image as far as it fits.
    """
    height, width = image.shape[:2]
    scale = float(np.clip(height / 900, 0.42, 1.2))
    weight = 1 if scale < 0.8 else 2
    (text_width, text_height), below = cv2.getTextSize(text, FONT, scale, weight)
    plate_height = text_height + below + 2
    x = max(min(corner[0], width - text_width - 2), 0)
    y = max(min(corner[1], height - 1), plate_height)
    cv2.rectangle(image, (x, y - plate_height), (x + text_width + 1, y), colour, -1)
    brightness = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
    ink = (0, 0, 0) if brightness > 110 else (255, 255, 255)
    cv2.putText(image, text, (x + 1, y - below), FONT, scale, ink, weight, cv2.LINE_AA)


def _pixels(image: np.ndarray, box: Box) -> tuple[int, int, int, int]:
    """Corners of a box; sides at or beyond the edge come to lie on it."""
    height, width = image.shape[:2]
    x0, x1 = np.clip([round(box[0]), round(box[2])], 0, width - 1).tolist()
    y0, y1 = np.clip([round(box[1]), round(box[3])], 0, height - 1).tolist()
    return x0, y0, x1, y1


def draw_dashes_(image: np.ndarray, box: Box, colour: Colour, thickness: int) -> None:
    """A dashed rectangle in place."""
    x0, y0, x1, y1 = _pixels(image, box)
    dash = 4 * thickness + 2
    for x in range(x0, x1 + 1, 2 * dash):
        end = min(x + dash, x1)
        for y in (y0, y1):
            cv2.line(image, (x, y), (end, y), colour, thickness)
    for y in range(y0, y1 + 1, 2 * dash):
        end = min(y + dash, y1)
        for x in (x0, x1):
            cv2.line(image, (x, y), (x, end), colour, thickness)


def draw_trail_(
    image: np.ndarray, trail: Sequence[tuple[float, float]], colour: Colour, thickness: int
) -> None:
    """Join centres, a dot on the last one, in place."""
    points = np.rint(np.array(trail)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(image, [points], False, colour, thickness, cv2.LINE_AA)
    last = (int(points[-1, 0, 0]), int(points[-1, 0, 1]))
    cv2.circle(image, last, 2 * thickness, colour, -1, cv2.LINE_AA)


def draw_objects(
    image: np.ndarray,
    objects: Sequence[DrawnObject],
    opacity: float = 0.45,
    boxes: bool = False,
    labels: bool = True,
    contours: bool = True,
) -> np.ndarray:
    """A copy of a frame with its objects on it.

    Args:
        image: (H, W, 3) uint8 BGR.
        objects: later ones are drawn over earlier ones; those with an empty
            mask are left out.
        opacity: of the tint inside masks, 0 to 1.
        boxes: draw boxes too.
        labels: write id, class and score.
        contours: outline masks.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: if a mask has another size than the image.
    """
    canvas = image.copy()
    seen = []
    for item in objects:
        check_size(item, image)
        around = mask_box(item.mask)
        if around is not None:
            seen.append((item, around))
    thickness = max(1, round(min(image.shape[:2]) / 360))
    for item, around in seen:
        colour = track_colour(item.track_id)
        _draw_mask_(canvas, item.mask, around, colour, opacity, thickness if contours else 0)
        if boxes:
            x0, y0, x1, y1 = _pixels(canvas, item.box or around)
            cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, thickness)
        if item.enclosing is not None:
            draw_dashes_(canvas, item.enclosing, colour, thickness)
    for item, around in seen:
        if item.trail:
            draw_trail_(canvas, item.trail, track_colour(item.track_id), thickness + 1)
        if labels:
            box = item.box or around
            draw_text_(
                canvas, item.text, (round(box[0]), round(box[1]) - 1), track_colour(item.track_id)
            )
    return canvas


def _draw_mask_(
    canvas: np.ndarray,
    mask: np.ndarray,
    around: tuple[int, int, int, int],
    colour: Colour,
    opacity: float,
    thickness: int,
) -> None:
    """Tint and outline a mask; only what lies around it is looked at."""
    x0, y0, x1, y1 = around
    margin = thickness
    rows = slice(max(y0 - margin, 0), y1 + 1 + margin)
    cols = slice(max(x0 - margin, 0), x1 + 1 + margin)
    part, inside = canvas[rows, cols], np.ascontiguousarray(mask[rows, cols])
    blend_mask_(part, inside, colour, opacity)
    if thickness:
        # OpenCV draws on whole arrays only
        outlined = np.ascontiguousarray(part)
        draw_contour_(outlined, inside, colour, thickness)
        part[...] = outlined


def check_size(item: DrawnObject, image: np.ndarray) -> None:
    """Raise ValueError if a mask has another size than the image."""
    if item.mask.shape != image.shape[:2]:
        raise ValueError(
            f'the mask of track {item.track_id} is {item.mask.shape}, but '
            f'the frame is {image.shape[:2]} (height, width); masks are '
            'drawn at the size of the frame'
        )


def contact_sheet(frames: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Frames of one size, (H, W, 3) uint8, in rows of ``columns``.

    Returns:
        (rows * H, columns * W, 3) uint8; black where frames end early.

    Raises:
        ValueError: if there is no frame.
    """
    if not frames:
        raise ValueError('a contact sheet needs at least one frame')
    columns = min(columns, len(frames))
    height, width, channels = frames[0].shape
    rows = -(-len(frames) // columns)
    sheet = np.zeros((rows * height, columns * width, channels), np.uint8)
    for index, frame in enumerate(frames):
        y, x = index // columns * height, index % columns * width
        sheet[y : y + height, x : x + width] = frame
    return sheet
