"""Tracked objects painted on frames; NumPy and OpenCV only."""
import colorsys
from dataclasses import dataclass, replace
from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np

Colour = Tuple[int, int, int]
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
    """
    track_id: int
    mask: np.ndarray
    name: str = ''
    score: Optional[float] = None
    box: Optional[Tuple[float, float, float, float]] = None

    @property
    def text(self) -> str:
        """Label such as ``3 dog 0.87``."""
        score = '' if self.score is None else f'{self.score:.2f}'
        return ' '.join(
            part for part in (str(self.track_id), self.name, score) if part)


def track_colour(track_id: int) -> Colour:
    """BGR of a track: the same in every frame, video and run."""
    hue = (track_id * GOLDEN) % 1
    value = (1., .75, .9)[track_id // 7 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, .85, value)
    return round(blue * 255), round(green * 255), round(red * 255)


def mask_box(mask: np.ndarray) -> Optional[Tuple[int, int, int, int]]:
    """Box x0, y0, x1, y1 around a mask, the last pixel within; or None."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return None
    cols = np.flatnonzero(mask.any(axis=0))
    return int(cols[0]), int(rows[0]), int(cols[-1]), int(rows[-1])


def blend_mask_(image: np.ndarray,
                mask: np.ndarray,
                colour: Colour,
                opacity: float = .45) -> None:
    """Tint the pixels of ``mask`` in place.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool.
        colour: BGR.
        opacity: share of the colour, 0 to 1.
    """
    tinted = image[mask] * (1 - opacity) + np.array(colour) * opacity
    image[mask] = np.rint(tinted).astype(np.uint8)


def draw_contour_(image: np.ndarray,
                  mask: np.ndarray,
                  colour: Colour,
                  thickness: int = 1) -> None:
    """Outline the parts and holes of ``mask`` (H, W) bool in place."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, colour, thickness)


def draw_text_(image: np.ndarray, text: str, corner: Tuple[int, int],
               colour: Colour) -> None:
    """Write on a plate of ``colour`` whose lower left is at ``corner``.

    The plate is moved inside the image as far as it fits.
    """
    height, width = image.shape[:2]
    scale = float(np.clip(height / 900, .35, 1.2))
    weight = 1 if scale < .8 else 2
    (text_width, text_height), below = cv2.getTextSize(text, FONT, scale,
                                                       weight)
    plate_height = text_height + below + 2
    x = max(min(corner[0], width - text_width - 2), 0)
    y = max(min(corner[1], height - 1), plate_height)
    cv2.rectangle(image, (x, y - plate_height), (x + text_width + 1, y),
                  colour, -1)
    brightness = .114 * colour[0] + .587 * colour[1] + .299 * colour[2]
    ink = (0, 0, 0) if brightness > 110 else (255, 255, 255)
    cv2.putText(image, text, (x + 1, y - below), FONT, scale, ink, weight,
                cv2.LINE_AA)


def draw_objects(image: np.ndarray,
                 objects: Sequence[DrawnObject],
                 opacity: float = .45,
                 boxes: bool = False,
                 labels: bool = True) -> np.ndarray:
    """A copy of a frame with its objects on it.

    Args:
        image: (H, W, 3) uint8 BGR.
        objects: later ones are drawn over earlier ones; those with an empty
            mask are left out.
        opacity: of the tint inside masks, 0 to 1.
        boxes: draw boxes too.
        labels: write id, class and score.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: if a mask has another size than the image.
    """
    canvas = image.copy()
    seen = []
    for item in objects:
        _check_size(item, image)
        around = mask_box(item.mask)
        if around is not None:
            seen.append((item, item.box or around))
    thickness = max(1, round(min(image.shape[:2]) / 360))
    for item, box in seen:
        colour = track_colour(item.track_id)
        blend_mask_(canvas, item.mask, colour, opacity)
        draw_contour_(canvas, item.mask, colour, thickness)
        if boxes:
            x0, y0, x1, y1 = (round(value) for value in box)
            cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, thickness)
    if labels:
        for item, box in seen:
            draw_text_(canvas, item.text, (round(box[0]), round(box[1]) - 1),
                       track_colour(item.track_id))
    return canvas


def _check_size(item: DrawnObject, image: np.ndarray) -> None:
    if item.mask.shape != image.shape[:2]:
        raise ValueError(
            f'the mask of track {item.track_id} is {item.mask.shape}, but '
            f'the frame is {image.shape[:2]} (height, width); masks are '
            'drawn at the size of the frame')


def enlarge(image: np.ndarray, objects: Sequence[DrawnObject],
            factor: int) -> Tuple[np.ndarray, List[DrawnObject]]:
    """Frame and objects a whole number of times as large.

    Small frames are enlarged before drawing, so that labels can be read.
    """
    if factor == 1:
        return image, list(objects)
    height, width = image.shape[:2]
    large = cv2.resize(
        image, (width * factor, height * factor),
        interpolation=cv2.INTER_CUBIC)
    scaled = []
    for item in objects:
        mask = item.mask.repeat(factor, axis=0).repeat(factor, axis=1)
        box = item.box and tuple(value * factor for value in item.box)
        scaled.append(replace(item, mask=mask, box=box))
    return large, scaled


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
        sheet[y:y + height, x:x + width] = frame
    return sheet
