"""Rendering of a scene: exact masks and shaded frames."""

from collections.abc import Sequence

import cv2
import numpy as np

from .classes import Contours
from .motion import compose
from .scene import Scene, Thing

# Vertices are rounded to 1/16 pixel, so that the last bit of a sine, which differs between
# machines, does not change masks.
SHIFT = 4


def to_fixed(contours: Contours, transform: np.ndarray) -> Contours:
    """Return the contours in the frame, (K, 2) int64 in sixteenths of a pixel."""
    points = [contour @ transform[:, :2].T + transform[:, 2] for contour in contours]
    return [np.rint(each * (1 << SHIFT)).astype(np.int64) for each in points]


def fill(contours: Contours, height: int, width: int) -> np.ndarray:
    """Return (height, width) bool, the pixels whose centres are inside by the even-odd rule.

    Contours are (K, 2) int64, x and y in sixteenths of a pixel; the centres of pixels are at whole
    numbers. Only integers are used, so that every machine and every version of the drawing
    libraries gives the same mask.
    """
    # Only the parity of a count matters, so that it may overflow.
    crossings = np.zeros((height, width + 1), np.uint8)
    rows = np.arange(height, dtype=np.int64)[:, None]
    for contour in contours:
        first, second = contour, np.roll(contour, -1, axis=0)
        down = (first[:, 1] <= second[:, 1])[:, None]
        top = np.where(down, first, second)
        end = np.where(down, second, first)
        line = rows << SHIFT
        hit = (top[:, 1] <= line) & (line < end[:, 1])
        rise = np.maximum(end[:, 1] - top[:, 1], 1)
        run = end[:, 0] - top[:, 0]
        # The first pixel centre at or right of the edge is a ceiling division.
        x = top[:, 0] * rise + (line - top[:, 1]) * run
        column = np.clip(-(-x // (rise << SHIFT)), 0, width)
        row_index, edge = np.nonzero(hit)
        np.add.at(crossings, (row_index, column[row_index, edge]), 1)
    counts = np.cumsum(crossings[:, :width], axis=1, dtype=np.uint8)
    return (counts & 1).astype(bool)


def coverage(contours: Contours, height: int, width: int, finer: int) -> np.ndarray:
    """Return the share of each pixel that is inside the contours, (height, width) float32.

    It is the mean of a mask by ``fill`` of ``finer`` times the size, 1 to 15. OpenCV's anti-aliased
    drawing would make shapes half a pixel wider than their masks.
    """
    # The centre of the first small pixel differs from that of the first large one.
    shift = (finer - 1) * (1 << SHIFT) // 2
    fine = fill([contour * finer + shift for contour in contours], height * finer, width * finer)
    # Means of multiples of the number of small pixels are exact in 8 bits.
    whole = 255 // finer**2 * finer**2
    mean = cv2.resize(
        fine.view(np.uint8) * np.uint8(whole), (width, height), interpolation=cv2.INTER_AREA
    )
    return mean / np.float32(whole)


def full_masks(scene: Scene, time: float, height: int, width: int) -> np.ndarray:
    """Return what each thing would cover if it were alone, (N, H, W) bool."""
    view = scene.camera.transform(time)
    masks = np.zeros((len(scene.things), height, width), bool)
    for index, thing in enumerate(scene.things):
        pose = compose(view, thing.trajectory.transform(time))
        masks[index] = fill(to_fixed(thing.contours, pose), height, width)
    return masks


def visible_masks(full: np.ndarray) -> np.ndarray:
    """Return the parts of ``full`` (N, H, W) that no later mask covers, of the same shape."""
    visible = full.copy()
    covered = np.zeros(full.shape[1:], bool)
    for index in range(len(full) - 1, -1, -1):
        visible[index] &= ~covered
        covered |= full[index]
    return visible


def render_frame(scene: Scene, time: float, height: int, width: int) -> np.ndarray:
    """Return the picture taken at ``time``, (H, W, 3) uint8 BGR.

    The shutter is open around ``time``; the picture is the mean of a few sharp ones.
    """
    steps = 1 + 2 * int(np.ceil(4 * scene.shutter))
    offsets = (np.arange(steps) - steps // 2) / steps * scene.shutter
    # The mean of several pictures already softens edges.
    finer = 4 if steps == 1 else 2
    light: np.ndarray = np.zeros((height, width, 3), np.float32)
    for offset in offsets.tolist():
        light += _render_instant(scene, time + offset, height, width, finer)
    light /= steps
    radius = scene.focus.at(time)
    if radius > 0.3:
        light = cv2.GaussianBlur(light, (0, 0), radius)
    light = scene.glitches.spoil(light, time)
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def _render_instant(scene: Scene, time: float, height: int, width: int, finer: int) -> np.ndarray:
    """Return a sharp picture, (H, W, 3) float32 BGR."""
    view = scene.camera.transform(time)
    canvas = _place_background(scene, view, height, width)
    for thing in scene.things:
        pose = compose(view, thing.trajectory.transform(time))
        _paint_(canvas, thing, pose, finer)
    return canvas


def _place_background(scene: Scene, view: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, cols = scene.background.shape[:2]
    to_world = np.array([[1.0, 0.0, (width - cols) / 2], [0.0, 1.0, (height - rows) / 2]])
    return cv2.warpAffine(
        scene.background,
        compose(view, to_world),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _window(contours: Sequence[np.ndarray], height: int, width: int) -> tuple[int, int, int, int]:
    """Return the part of the frame that the contours touch: x0, y0, x1, y1."""
    points = np.concatenate(list(contours)) >> SHIFT
    low, high = points.min(axis=0) - 1, points.max(axis=0) + 3
    x0, y0 = np.clip(low, 0, [width, height]).tolist()
    x1, y1 = np.clip(high, 0, [width, height]).tolist()
    return x0, y0, x1, y1


def _paint_(canvas: np.ndarray, thing: Thing, pose: np.ndarray, finer: int) -> None:
    """Blend a thing with soft edges into the canvas."""
    contours = to_fixed(thing.contours, pose)
    x0, y0, x1, y1 = _window(contours, *canvas.shape[:2])
    if x1 <= x0 or y1 <= y0:
        return
    origin = np.array([x0, y0]) << SHIFT
    alpha = coverage([c - origin for c in contours], y1 - y0, x1 - x0, finer)
    side = len(thing.texture)
    to_unit = np.array([[2 / side, 0.0, 1 / side - 1], [0.0, 2 / side, 1 / side - 1]])
    to_window = compose(pose, to_unit)
    to_window[:, 2] -= [x0, y0]
    colours = cv2.warpAffine(
        thing.texture,
        to_window,
        (x1 - x0, y1 - y0),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    part = canvas[y0:y1, x0:x1]
    part += (colours - part) * alpha[..., None]
