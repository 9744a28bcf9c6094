"""Still backgrounds that are full of things, as those of photographs are.

Ground, sky and walls lie above each other. On them lie overlapping things whose sizes follow a
power law (the "dead leaves" model of natural images), rows of equal things (windows, fences,
trunks, crowds), and objects that do not move.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from natural_bodies import box_of, cover_of, draw_body, random_body
from natural_plans import person
from natural_textures import BACKGROUND_HUES, flattened, material, photo_noise, random_colour

#: draws a thing at a point, of a height
Stamp = Callable[[np.ndarray, float, float, float], None]


def surface(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a wide surface, (height, width, 3) float32 BGR."""
    return flattened(rng, material(rng, height, width, rng.choice(BACKGROUND_HUES)))


def background_colour(rng: np.random.Generator) -> np.ndarray:
    """Return a colour of things in backgrounds, (3,) float32 BGR."""
    hue = rng.choice(BACKGROUND_HUES) if rng.random() < 0.6 else rng.uniform(0, 360)
    return random_colour(rng, hue)


def fill(
    image: np.ndarray, points: np.ndarray, colour: np.ndarray, noise: np.ndarray, share: float
) -> None:
    """Fill a polygon (n, 2) with a colour and noise of the image's size."""
    low, high = box_of(points, image.shape[:2])
    if (high <= low).any():
        return
    box = np.s_[low[1] : high[1], low[0] : high[0]]
    part = image[box]
    texture = colour * (1 + share * noise[box])[..., None]
    part += (texture - part) * cover_of(points - low, part.shape[:2])[..., None]


def random_polygon(rng: np.random.Generator) -> np.ndarray:
    """Return (n, 2) points of a random shape of radius 1: round, boxy, pointed or ragged."""
    kind = rng.integers(4)
    if kind == 0:
        phi = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        points = np.stack([np.cos(phi), np.sin(phi)], axis=1)
    elif kind == 1:
        points = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.8
    else:
        phi = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7 if kind == 2 else 16)))
        far = 1 if kind == 2 else rng.uniform(0.5, 1.2, len(phi))[:, None]
        points = np.stack([np.cos(phi), np.sin(phi)], axis=1) * far
    points = points * [1, rng.uniform(0.25, 1)]
    turn = rng.normal(0, 0.1) if kind == 1 else rng.uniform(0, 2 * np.pi)
    c, s = np.cos(turn), np.sin(turn)
    return points @ np.array([[c, s], [-s, c]])


def scatter(rng: np.random.Generator, image: np.ndarray, top: float, bottom: float) -> None:
    """Draw overlapping things with heights between two shares of the image's."""
    height, width = image.shape[:2]
    number = int(np.exp(rng.uniform(np.log(10), np.log(400))))
    least, most = rng.uniform(0.008, 0.03) * height, rng.choice([0.04, 0.1, 0.2]) * height
    first, others = background_colour(rng), rng.integers(1, 8)
    if rng.random() < 0.5:  # shades of one colour, as in leaves and gravel
        colours = [first * np.float32(rng.uniform(0.4, 1.6)) for _ in range(others)]
    else:
        colours = [first, *(background_colour(rng) for _ in range(others))]
    shapes = [random_polygon(rng) for _ in range(rng.integers(1, 8))]
    noise, share = photo_noise(rng, height, width, rng.uniform(0.8, 1.6)), rng.uniform(0, 0.3)
    for _ in range(number):
        size = min(least / np.sqrt(rng.uniform(1e-3, 1)), most)
        where = (rng.uniform(0, width), height * rng.uniform(top, bottom))
        colour = colours[rng.integers(len(colours))] * np.float32(rng.uniform(0.5, 1.3))
        fill(image, shapes[rng.integers(len(shapes))] * size + where, colour, noise, share)


def person_stamp(rng: np.random.Generator) -> Stamp:
    """Return what draws one of some people."""
    people = [random_body(rng, (0, 0), 1, 1, 0, person) for _ in range(8)]

    def stamp(image: np.ndarray, x: float, y: float, size: float) -> None:
        one = people[rng.integers(len(people))]
        one = replace(one, middle=(x, y - size / 2), radius=one.radius * size)
        draw_body(one, np.eye(3), 0.0, (image.shape[0], image.shape[1])).paste(image)

    return stamp


def shape_stamp(rng: np.random.Generator, height: int, width: int) -> Stamp:
    """Return what draws an upright shape, always the same but for its brightness."""
    points = random_polygon(rng) * [rng.choice([0.1, 0.3, 1]), 1]
    points = points / max(np.ptp(points[:, 1]), 0.2) - [0, 0.5]
    colour, noise = background_colour(rng), photo_noise(rng, height, width, 1)
    spread = rng.uniform(0, 0.3)

    def stamp(image: np.ndarray, x: float, y: float, size: float) -> None:
        light = np.float32(1 + spread * rng.normal())
        fill(image, points * size + (x, y), colour * light, noise, 0.1)

    return stamp


def rows(rng: np.random.Generator, image: np.ndarray, horizon: float) -> None:
    """Draw rows of equal things: a crowd, or windows, posts, trunks, bushes."""
    height, width = image.shape[:2]
    crowd = rng.random() < 0.45
    stamp = person_stamp(rng) if crowd else shape_stamp(rng, height, width)
    size = height * rng.uniform(0.08, 0.25)
    step = size * (rng.uniform(0.25, 0.6) if crowd else rng.uniform(0.15, 1.5))
    number = rng.integers(1, 3) if crowd else rng.choice([1, 1, 2, 4])
    jitter, left = rng.choice([0, 0.1, 0.5]), width * rng.choice([0, 0, rng.uniform(0, 0.7)])
    right = width if left == 0 else left + rng.uniform(0.2, 0.5) * width
    down = size * (0.35 if crowd else rng.uniform(1.1, 2))
    foot = height * horizon + size * rng.uniform(-0.2, 1)
    if not crowd and rng.random() < 0.5:
        foot -= number * down
    for row in range(number):
        for x in np.arange(left, right, max(step, width / 60)):
            shift = jitter * step * rng.normal()
            tall = size * np.exp(0.3 * jitter * rng.normal())
            stamp(image, float(x + shift), float(foot + row * down), float(tall))


def strokes(rng: np.random.Generator, image: np.ndarray) -> None:
    """Draw lines: road markings, branches, rails, writing on walls."""
    height, width = image.shape[:2]
    colour = background_colour(rng).tolist()
    thick = max(1, int(rng.uniform(0.002, 0.03) * height))
    for _ in range(rng.integers(1, 12)):
        start = rng.uniform([0, 0], [width, height])
        turns = np.cumsum(rng.normal(0, rng.uniform(0.01, 0.15), (rng.integers(1, 9), 2)), axis=0)
        line = np.concatenate([start[None], start + width * turns])
        layer = np.ascontiguousarray(image)
        cv2.polylines(layer, [line.astype(np.int32)], False, colour, thick, cv2.LINE_AA)
        image[...] = layer


def still_objects(rng: np.random.Generator, image: np.ndarray, horizon: float) -> None:
    """Draw objects that do not move."""
    height, width = image.shape[:2]
    for _ in range(rng.integers(1, 6)):
        size = height * rng.uniform(0.05, 0.22)
        where = (rng.uniform(0, width), height * (horizon + rng.uniform(-0.05, 0.2)))
        body = random_body(rng, where, size, 2 * size, 0)
        draw_body(body, np.eye(3), 0.0, (height, width)).paste(image)


def furnish(rng: np.random.Generator, image: np.ndarray, horizon: float) -> None:
    """Draw things on a background whose ground begins at a share of its height."""
    for _ in range(rng.integers(0, 3)):
        place = rng.integers(4)
        top, bottom = ((0, 1), (0, horizon), (horizon, 1), (horizon - 0.1, horizon + 0.05))[place]
        scatter(rng, image, top, bottom)
    for _ in range(rng.integers(0, 3)):
        rows(rng, image, horizon)
    if rng.random() < 0.3:
        strokes(rng, image)
    if rng.random() < 0.4:
        still_objects(rng, image, horizon)


def ground_and_sky(rng: np.random.Generator, height: int, width: int, horizon: float) -> np.ndarray:
    """Return surfaces above each other, (height, width, 3) float32 BGR."""
    image = surface(rng, height, width)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    places = [horizon, *horizon + rng.uniform(-0.25, 0.3, rng.integers(0, 3))]
    for place in sorted(places):  # sky, hills, walls, ground
        other = surface(rng, height, width)
        ragged = rng.choice([0.002, 0.02, 0.06]) * photo_noise(rng, height, width, 1.6)
        area = np.clip((y - place + ragged) * rng.choice([15, 60]), 0, 1)
        image = image + (other - image) * area[..., None]
    return image


def landscape(rng: np.random.Generator, height: int, width: int, easy: bool) -> np.ndarray:
    """Return a still background, (height, width, 3) float32 BGR; an easy one has few things."""
    horizon = rng.uniform(0.35, 0.6)
    image = np.ascontiguousarray(ground_and_sky(rng, height, width, horizon), np.float32)
    if not easy:
        furnish(rng, image, horizon)
    blur = rng.uniform(0.5, 3) if easy else rng.choice([0.3, 0.5, 1, 2]) * rng.uniform(0.7, 1.3)
    image = cv2.GaussianBlur(image, (0, 0), float(blur) * height / 256)
    return image * (1 + 0.02 * photo_noise(rng, height, width, 0.8)[..., None])
