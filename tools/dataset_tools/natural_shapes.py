"""Generated video that resembles real video, with exact masks of the objects.

Moving shapes, which tests use, have clean outlines and bright colours; a model for real video needs
more variety. These videos show what people film: a large object near the middle, which moves by
itself and is followed by the camera, before a background that is full of other things. Only what
moves by itself is an object. There is a single class. The random generator determines the whole
video.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from natural_bodies import Body, Wobble, draw_body, random_body, random_wobble
from natural_plans import Limb
from natural_scenery import landscape

#: number of moments that are averaged over the exposure of a frame with motion blur
EXPOSURES = 3
#: speeds of objects in widths of the frame, each frame
SPEEDS = (0.004, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Film:
    """Content of a video.

    Attributes:
        size (tuple[int, int]): Height and width of the frames.
        bodies (list[Body]): Objects, from the furthest to the nearest.
        screens (list[Body]): Blurred things in front of them, which are not annotated.
        world (np.ndarray): (2 H, 2 W, 3) float32 background; its middle is that of the first
            frame.
        follow (float): Share of the motion of the nearest object that the camera follows.
        pan (tuple[Wobble, Wobble]): Further motion of the camera in pixels.
        zoom (Wobble): Logarithm of the zoom of the camera.
        depth (float): Share of the camera's motion that the background seems to move by.
        shutter (float): Share of the time of a frame in which it is exposed.
        grain (float): Noise of the sensor in grey levels.
        tone (np.ndarray): (3,) factors of the colour channels.
        level (float): Added to all colours.
        blur (float): Blur of the whole picture in pixels.
    """

    size: tuple[int, int]
    bodies: list[Body]
    screens: list[Body]
    world: np.ndarray
    follow: float
    pan: tuple[Wobble, Wobble]
    zoom: Wobble
    depth: float
    shutter: float
    grain: float
    tone: np.ndarray
    level: float
    blur: float

    def view(self, time: float, depth: float = 1.0) -> np.ndarray:
        """Return the (3, 3) transform from the world to the frame, for things at a depth."""
        height, width = self.size
        lead = self.bodies[-1]
        x = depth * (self.follow * (lead.x(time) - lead.x(0)) + self.pan[0](time))
        y = depth * (self.follow * (lead.y(time) - lead.y(0)) + self.pan[1](time))
        x, y = np.clip(x, -width, width), np.clip(y, -height, height)
        scale = np.exp(self.zoom(time))
        return np.array(
            [
                [scale, 0, width / 2 * (1 - scale) - scale * x],
                [0, scale, height / 2 * (1 - scale) - scale * y],
                [0, 0, 1],
            ]
        )


def post(rng: np.random.Generator) -> list[Limb]:
    """Return the plan of something tall and thin."""
    return [Limb((rng.uniform(0.02, 0.1), 1), (0, 0), 0, rng.normal(0, 0.1), 0, 4, 0)]


def main_objects(
    rng: np.random.Generator, size: tuple[int, int], speed: float, largest: float
) -> list[Body]:
    """Return the objects: one large one in most videos, else some smaller ones besides."""
    height, width = size
    number = rng.choice([1, 2, 3], p=[0.75, 0.17, 0.08])
    share = rng.uniform(0.25, largest) if rng.random() < 0.85 else rng.uniform(0.12, 0.25)
    bodies = []
    for index in range(number):
        main = index == number - 1
        tall = height * (share if main else share * rng.uniform(0.4, 0.9))
        spread = 0.08 if number == 1 else 0.22
        centre = (width * rng.normal(0.48, spread), height * rng.normal(0.53, 0.07))
        step = speed * width * rng.uniform(0.3, 1)
        bodies.append(random_body(rng, centre, tall, 0.85 * width * max(share, 0.3), step))
    return bodies


def random_film(rng: np.random.Generator, size: tuple[int, int], easy: bool = False) -> Film:
    """Return a video of (height, width) ``size``; an easy one has a plain background."""
    height, width = size
    follow = rng.choice([0, 0.8, 1, 1, 1])
    speed = rng.choice(SPEEDS[1:3] if follow == 0 else SPEEDS)
    screens = [
        random_body(rng, (width * rng.uniform(0, 1), height / 2), 1.6 * height, width, 0, post)
        for _ in range(0 if easy else rng.choice([0, 1, 2], p=[0.85, 0.1, 0.05]))
    ]
    shake = rng.choice([0.002, 0.01, 0.04])
    world = landscape(rng, 2 * height, 2 * width, easy).astype(np.float32)
    # cameras expose so that brightness and contrast are usual ones
    gain = float(np.clip(rng.uniform(40, 65) / world.std(), 0.7, 2))
    level = float(rng.uniform(90, 140) - gain * world.mean())
    return Film(
        size,
        main_objects(rng, size, speed, 0.85),
        screens,
        world,
        follow=follow,
        pan=(random_wobble(rng, shake * width, 0.7), random_wobble(rng, shake * height, 0.7)),
        zoom=random_wobble(rng, 0.06, 0.3),
        depth=float(rng.uniform(0.6, 1)),
        shutter=float(rng.choice([0, rng.uniform(0.1, 0.6)])),
        grain=float(6 * rng.uniform() ** 2),
        tone=(gain * rng.uniform(0.9, 1.1, 3)).astype(np.float32),
        level=level,
        blur=float(rng.choice([0, 0.4, 0.7])),
    )


def expose(film: Film, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw one moment.

    Returns:
        tuple: (H, W, 3) float32 image, and (2, N, H, W) float32 shares of every pixel that show an
        object, and that would show it if nothing were in front of it.
    """
    height, width = film.size
    view = film.view(time)
    start = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    image = cv2.warpAffine(
        film.world,
        (film.view(time, film.depth) @ start)[:2],
        (width, height),
        borderMode=cv2.BORDER_REFLECT,
    )
    covers: list[np.ndarray] = []
    uncovered: list[np.ndarray] = []
    for body in film.bodies:
        cover = np.zeros((height, width), np.float32)
        drawing = draw_body(body, view, time, film.size)
        drawing.paste(cover)
        fall = np.array([[1, 0, 0.04 * height], [0, 1, 0.05 * height]])
        shadow = cv2.warpAffine(cover, fall, (width, height))
        shadow = cv2.blur(shadow, (max(int(0.08 * height), 1),) * 2)
        image *= (1 - body.shadow * shadow)[..., None]
        drawing.paste(image)
        covers = [each * (1 - cover) for each in covers] + [cover]
        uncovered.append(cover.copy())
    near = film.view(time, 1.3)
    for body in film.screens:
        drawing = draw_body(body, near, time, film.size)
        drawing.paste(image)
        for each in covers:
            each[drawing.box] *= 1 - drawing.cover
    return image, np.array([covers, uncovered])


def frames(
    rng: np.random.Generator, film: Film, num_frames: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the frames of a video.

    Yields:
        tuple: (H, W, 3) uint8 BGR, and (2, N, H, W) bool masks of the objects: the visible parts,
        and all that lies inside the frame.
    """
    number = EXPOSURES if film.shutter > 0 else 1
    for frame in range(num_frames):
        times = frame + film.shutter * (np.arange(number) / number - 0.5)
        moments = [expose(film, float(time)) for time in times]
        image = sum(moment[0] for moment in moments) / number
        shares = np.mean([moment[1] for moment in moments], axis=0)
        if film.blur > 0:
            image = cv2.GaussianBlur(image, (0, 0), film.blur)
        image = image * film.tone + film.level + rng.normal(0, film.grain, image.shape)
        yield np.clip(image, 0, 255).astype(np.uint8), shares > 0.5
