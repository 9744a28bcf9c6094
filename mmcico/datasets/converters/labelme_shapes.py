"""Shapes of labelme as masks."""

import base64
import binascii
import io
import math
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from pycocotools import mask as mask_api

from ..masks import draw_polygons

CIRCLE_CORNERS = 72
#: points that a shape needs at least, at most
POINTS = dict(polygon=(0, None), rectangle=(2, 4), circle=(2, 2), mask=(2, 2))


def shape_mask(shape: dict, size: tuple[int, int], where: str) -> np.ndarray:
    """(H, W) bool mask of a shape.

    Args:
        shape (dict): Entry of ``shapes``: polygon, rectangle, circle or mask.
        size (tuple[int, int]): (height, width) of the image.
        where (str): File and shape, for messages.

    Raises:
        ValueError: If it has no area by its kind, or is broken. Polygons of
            fewer than three points are empty masks.
    """
    kind = shape.get('shape_type') or 'polygon'
    if not isinstance(kind, str) or kind not in POINTS:
        raise ValueError(
            f"{where}: field 'shape_type' is {kind!r}, which has "
            f'no area; masks come from {", ".join(POINTS)}'
        )
    points = _points(shape.get('points'), kind, where)
    if kind == 'mask':
        return _pasted(shape.get('mask'), points, size, where)
    if kind == 'rectangle' and len(points) == 2:
        (x0, y0), (x1, y1) = points
        points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    elif kind == 'circle':
        points = _circle(*points)
    flat = [value for point in points for value in point]
    code = draw_polygons([flat], *size, f"{where}, field 'points'")
    if code is None:
        return np.zeros(size, bool)
    return mask_api.decode(code).astype(bool)


def _points(points: Any, kind: str, where: str) -> list[tuple[float, float]]:
    """Pairs of finite numbers, as many as the kind needs."""
    usable = isinstance(points, list) and all(
        isinstance(p, (list, tuple))
        and len(p) == 2
        and all(isinstance(v, (int, float)) and math.isfinite(v) for v in p)
        for p in points
    )
    low, high = POINTS[kind]
    if not usable or len(points) < low or (high and len(points) > high):
        raise ValueError(f"{where}: field 'points' {str(points)[:60]} is no {kind}")
    return [(float(x), float(y)) for x, y in points]


def _circle(centre: tuple[float, float], rim: tuple[float, float]) -> list[tuple[float, float]]:
    """A polygon of the area of the circle through ``rim``."""
    radius = math.dist(centre, rim)
    step = 2 * math.pi / CIRCLE_CORNERS
    radius *= math.sqrt(step / math.sin(step))
    return [
        (centre[0] + radius * math.cos(i * step), centre[1] + radius * math.sin(i * step))
        for i in range(CIRCLE_CORNERS)
    ]


def _pasted(
    text: Any, points: list[tuple[float, float]], size: tuple[int, int], where: str
) -> np.ndarray:
    """A base64 PNG with its upper left pixel at the first point."""
    try:
        data = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(data)) as image:
            patch = np.array(image)
    except (TypeError, binascii.Error, OSError, UnidentifiedImageError) as error:
        raise ValueError(f"{where}: field 'mask' is no PNG in base64: {error}") from error
    x, y = round(points[0][0]), round(points[0][1])
    if (
        patch.ndim != 2
        or x < 0
        or y < 0
        or (y + patch.shape[0] > size[0])
        or x + patch.shape[1] > size[1]
    ):
        raise ValueError(
            f"{where}: field 'mask' of shape {patch.shape} at {(x, y)} does "
            f'not fit into the image of {size} (height, width)'
        )
    mask = np.zeros(size, bool)
    mask[y : y + patch.shape[0], x : x + patch.shape[1]] = patch > 0
    return mask
