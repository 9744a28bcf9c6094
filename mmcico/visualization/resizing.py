"""Frames and their objects at another size, before anything is drawn."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from .draw import Box, DrawnObject, check_size

Size = tuple[int, int]


def resized(
    image: np.ndarray, objects: Sequence[DrawnObject], factor: float
) -> tuple[np.ndarray, list[DrawnObject]]:
    """Frame and objects at another size, ratio kept.

    Labels and lines drawn afterwards have the size that they should have in
    the picture, so they can be read.

    Args:
        image: (H, W, 3) uint8 BGR.
        objects: what is in it.
        factor: above 0.

    Returns:
        Frame (H', W', 3), sides rounded, at least 1; and the objects.

    Raises:
        ValueError: if a mask has another size than the image.
    """
    if factor == 1:
        return image, list(objects)
    height, width = image.shape[:2]
    size = max(1, round(height * factor)), max(1, round(width * factor))
    method = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    for item in objects:
        check_size(item, image)
    frame = cv2.resize(image, size[::-1], interpolation=method)
    scale = size[1] / width, size[0] / height
    return frame, [
        replace(
            item,
            mask=resized_mask(item.mask, size),
            box=_times(item.box, scale),
            enclosing=_times(item.enclosing, scale),
            trail=tuple((x * scale[0], y * scale[1]) for x, y in item.trail),
        )
        for item in objects
    ]


def resized_mask(mask: np.ndarray, size: Size) -> np.ndarray:
    """A mask at another size.

    Enlarged, pixels become blocks. Shrunk, a pixel is inside if half of what
    it stands for is; if that leaves nothing, whatever it touches.

    Args:
        mask: (H, W) bool.
        size: new height and width; both larger, or both smaller.

    Returns:
        (H', W') bool.
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


def _times(box: Box | None, scale: tuple[float, float]) -> Box | None:
    if box is None:
        return None
    return (box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1])
