"""Object classes: an outline, a texture pattern and a hue for each.

An outline is a list of closed contours in unit coordinates (x to the right, y down) inside a
circle of radius 1. Contours are filled by the even-odd rule, so that a second one is a hole.
"""

from typing import NamedTuple

import numpy as np

Contours = list[np.ndarray]


class ShapeClass(NamedTuple):
    """A class of objects.

    Attributes:
        name: name of the category.
        pattern: key of ``textures.PATTERNS``.
        hue: typical hue in degrees.
    """

    name: str
    pattern: str
    hue: float


# Neighbours in this list have very different hues, so that data sets of few classes are easy.
SHAPE_CLASSES: tuple[ShapeClass, ...] = (
    ShapeClass('disc', 'stripes', 0),
    ShapeClass('square', 'checker', 215),
    ShapeClass('triangle', 'dots', 52),
    ShapeClass('star', 'spokes', 295),
    ShapeClass('ring', 'zigzag', 130),
    ShapeClass('cross', 'bricks', 180),
    ShapeClass('heart', 'halves', 335),
    ShapeClass('crescent', 'waves', 85),
    ShapeClass('arrow', 'chevrons', 25),
    ShapeClass('hexagon', 'rings', 255),
    ShapeClass('gear', 'grid', 155),
    ShapeClass('drop', 'bands', 235),
)


def _polar(radii: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Return the points (K, 2) at radii and angles (in turns, clockwise from the top)."""
    angle = 2 * np.pi * turns
    return np.stack([radii * np.sin(angle), -radii * np.cos(angle)], axis=1)


def _circle(radius: float, points: int = 32) -> np.ndarray:
    return _polar(np.full(points, radius), np.arange(points) / points)


def _cross() -> Contours:
    a, b = 0.33, 0.94
    x = [-a, a, a, b, b, a, a, -a, -a, -b, -b, -a]
    y = [-b, -b, -a, -a, a, a, b, b, a, a, -a, -a]
    return [np.stack([x, y], axis=1)]


def _heart() -> Contours:
    s = 2 * np.pi * np.arange(40) / 40
    x = 16 * np.sin(s) ** 3
    y = 13 * np.cos(s) - 5 * np.cos(2 * s) - 2 * np.cos(3 * s) - np.cos(4 * s)
    return [np.stack([x, -y - 2], axis=1) / 18]


def _crescent() -> Contours:
    outer = _polar(np.ones(28), np.linspace(0.1, 0.9, 28))
    # The inner arc runs back between the same two tips, below its centre.
    centre = np.array([0.0, -0.62])
    x, y = outer[-1] - centre
    start = np.arctan2(x, -y)
    turns = np.linspace(start, -2 * np.pi - start, 16) / (2 * np.pi)
    radius = float(np.hypot(x, y))
    inner = _polar(np.full(16, radius), turns) + centre
    return [np.concatenate([outer, inner[1:-1]])]


def _arrow() -> Contours:
    x = [0, 0.8, 0.34, 0.34, -0.34, -0.34, -0.8]
    y = [-1, -0.1, -0.1, 0.9, 0.9, -0.1, -0.1]
    return [np.stack([x, y], axis=1)]


def _gear() -> Contours:
    radii = np.where(np.arange(32) % 4 < 2, 1.0, 0.74)
    return [_polar(radii, np.arange(32) / 32), _circle(0.28, 16)]


def _drop() -> Contours:
    round_part = _polar(np.full(25, 0.64), np.linspace(0.17, 0.83, 25))
    tip = np.array([[0.0, -1.3]])
    return [(np.concatenate([tip, round_part]) + [0.0, 0.33]) * 0.98]


_OUTLINES = {
    'disc': lambda: [_circle(1.0)],
    'square': lambda: [_polar(np.ones(4), (np.arange(4) + 0.5) / 4)],
    'triangle': lambda: [_circle(1.0, 3)],
    'star': lambda: [_polar(np.tile([1.0, 0.5], 5), np.arange(10) / 10)],
    'ring': lambda: [_circle(1.0), _circle(0.48)],
    'cross': _cross,
    'heart': _heart,
    'crescent': _crescent,
    'arrow': _arrow,
    'hexagon': lambda: [_circle(1.0, 6)],
    'gear': _gear,
    'drop': _drop,
}


def outline(name: str) -> Contours:
    """Return the contours of the class ``name``, each (K, 2) in unit coordinates."""
    return _OUTLINES[name]()
