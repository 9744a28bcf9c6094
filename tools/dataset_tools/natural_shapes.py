"""Generated video that resembles real video, with exact masks of the objects.

Moving shapes, which tests use, have clean outlines and bright colours; a model for real video needs
more variety. In these videos, textures are noise with the spectrum of photographs, objects have
several swinging parts and changing outlines, light from one side casts soft shadows, the shutter
blurs motion, the camera follows an object, and blurred things pass in front of it. There is a
single class. The random generator determines the whole video.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from natural_plans import animal, blob, person, vehicle
from natural_textures import BACKGROUND_HUES, flattened, landscape, material

#: number of moments that are averaged over the exposure of a frame
EXPOSURES = 3


@dataclass(frozen=True)
class Wobble:
    """A smooth function of time: a sum of sines.

    Attributes:
        sizes (np.ndarray): (S,) amplitudes.
        rates (np.ndarray): (S,) radians a frame.
        phases (np.ndarray): (S,) radians.
        slope (float): Additional change a frame.
    """

    sizes: np.ndarray
    rates: np.ndarray
    phases: np.ndarray
    slope: float = 0.0

    def __call__(self, time: float) -> float:
        """Return the value at a time in frames."""
        return float(
            np.sum(self.sizes * np.sin(self.rates * time + self.phases)) + self.slope * time
        )


def random_wobble(rng: np.random.Generator, size: float, rate: float, slope: float = 0.0) -> Wobble:
    """Return a wobble of amplitudes of about ``size`` and about ``rate`` radians a frame."""
    sizes = size * rng.uniform(0.2, 1, 2) / 2
    drift = slope * float(rng.uniform(-1, 1))
    return Wobble(sizes, rate * rng.uniform(0.3, 1.2, 2), rng.uniform(0, 2 * np.pi, 2), drift)


@dataclass(frozen=True)
class Part:
    """A part of an object.

    Attributes:
        harmonics (list[tuple]): Waves of the outline, each a number and a size over time.
        axes (tuple[float, float]): Half width and half height, in radii of the object.
        anchor (tuple[float, float]): Point of the object that it is fixed to, in radii.
        hang (float): Shift of its middle from the anchor along its height, in half heights.
        rest (float): Angle against the object at rest, radians.
        angle (Wobble): Turn from there, radians.
        square (float): Exponent of the superellipse; 2 is an ellipse, more is boxy.
        surface (np.ndarray): (S, S, 3) float32 BGR texture of its box.
    """

    harmonics: list[tuple[int, Wobble]]
    axes: tuple[float, float]
    anchor: tuple[float, float]
    hang: float
    rest: float
    angle: Wobble
    square: float
    surface: np.ndarray

    def outline(self, time: float) -> np.ndarray:
        """Return (64, 2) points of the outline in units of the part's axes."""
        phi = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        radius = 1 + sum(wobble(time) * np.cos(number * phi) for number, wobble in self.harmonics)
        power = 2 / self.square
        x, y = np.cos(phi), np.sin(phi)
        points = np.stack([np.sign(x) * np.abs(x) ** power, np.sign(y) * np.abs(y) ** power], 1)
        return points * np.asarray(radius)[..., None]


@dataclass(frozen=True)
class Body:
    """An object with parts and a path.

    Attributes:
        parts (list[Part]): Parts in the order in which they are drawn, the furthest first.
        x (Wobble): Horizontal shift of its middle in pixels.
        y (Wobble): Vertical shift of its middle in pixels.
        middle (tuple[float, float]): Point about which it moves.
        radius (float): Radius in pixels.
        growth (Wobble): Logarithm of its change of size.
        angle (Wobble): Rotation in radians.
        light (tuple[float, float]): Strength of the shading along x and y.
        shadow (float): Darkness of the shadow, 0 to 1.
    """

    parts: list[Part]
    x: Wobble
    y: Wobble
    middle: tuple[float, float]
    radius: float
    growth: Wobble
    angle: Wobble
    light: tuple[float, float]
    shadow: float

    def pose(self, time: float) -> np.ndarray:
        """Return the (3, 3) transform from radii to pixels of the world."""
        scale, turn = self.radius * np.exp(self.growth(time)), self.angle(time)
        c, s = scale * np.cos(turn), scale * np.sin(turn)
        x, y = self.middle[0] + self.x(time), self.middle[1] + self.y(time)
        return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


def random_parts(rng: np.random.Generator) -> list[Part]:
    """Return the parts of a random object."""
    limbs = rng.choice([animal, person, vehicle, blob])(rng)
    hue = rng.uniform(0, 360) if rng.random() < 0.5 else rng.choice(BACKGROUND_HUES)
    pace, mirror = rng.uniform(0.1, 0.5), rng.choice([-1, 1])
    own, waves = rng.choice([0, 0.3, 1]), rng.uniform(0, 0.2)
    shared = flattened(rng, material(rng, 64, 64, hue))
    parts = []
    for limb in limbs:
        harmonics = [
            (int(rng.integers(2, 6)), random_wobble(rng, waves, pace))
            for _ in range(rng.integers(0, 3))
        ]
        other = rng.random() < own
        parts.append(
            Part(
                harmonics,
                limb.axes,
                (mirror * limb.anchor[0], limb.anchor[1]),
                limb.hang,
                mirror * limb.rest,
                random_wobble(rng, limb.swing, pace * 3),
                limb.square,
                flattened(rng, material(rng, 64, 64, rng.uniform(0, 360))) if other else shared,
            )
        )
    return parts


def random_body(rng: np.random.Generator, size: tuple[int, int], speed: float) -> Body:
    """Return an object for frames of (height, width) ``size`` with a highest speed."""
    height, width = size
    step = speed * width * rng.uniform(0, 1)
    return Body(
        random_parts(rng),
        x=random_wobble(rng, 0.15 * width * speed * 10, 0.25, step),
        y=random_wobble(rng, 0.08 * height * speed * 10, 0.3, 0.25 * step),
        middle=(width * rng.normal(0.5, 0.15), height * rng.normal(0.5, 0.12)),
        radius=height * rng.uniform(0.12, 0.5),
        growth=random_wobble(rng, 0.15, 0.15, 0.02),
        angle=random_wobble(rng, rng.choice([0.1, 0.1, 0.6]), 0.3),
        light=tuple(rng.uniform(-0.4, 0.4, 2)),
        shadow=float(rng.uniform(0, 0.6)),
    )


def draw_body(
    body: Body, view: np.ndarray, time: float, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw an object.

    Args:
        body (Body): The object.
        view (np.ndarray): (3, 3) transform from the world to the frame.
        time (float): Time in frames.
        size (tuple[int, int]): Height and width of the frame.

    Returns:
        tuple: (H, W, 3) float32 colours and (H, W) float32 coverage in 0..1.
    """
    height, width = size
    image = np.zeros((height, width, 3), np.float32)
    cover = np.zeros((height, width), np.float32)
    pose = view @ body.pose(time)
    for part in body.parts:
        turn = part.rest + part.angle(time)
        c, s = np.cos(turn), np.sin(turn)
        place = np.array([[c, -s, part.anchor[0]], [s, c, part.anchor[1]], [0, 0, 1]])
        shift = np.array([[1, 0, 0], [0, 1, part.hang * part.axes[1]], [0, 0, 1]])
        full = pose @ place @ shift @ np.diag([*part.axes, 1])
        points = part.outline(time) @ full[:2, :2].T + full[:2, 2]
        low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, (width, height))
        high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, 0, (width, height))
        wide, tall = (int(each) for each in high - low)
        if min(wide, tall) < 1:
            continue
        box = np.s_[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros((tall, wide), np.uint8)
        cv2.fillPoly(mask, [np.round((points - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        side = part.surface.shape[0]
        unit = np.array([[side / 2.6, 0, side / 2], [0, side / 2.6, side / 2], [0, 0, 1]])
        map_ = (full @ np.linalg.inv(unit))[:2]
        map_[:, 2] -= low
        colour = cv2.warpAffine(part.surface, map_, (wide, tall), borderMode=cv2.BORDER_REFLECT)
        share = (mask / np.float32(255))[..., None]
        image[box] += (colour - image[box]) * share
        cover[box] = np.maximum(cover[box], share[..., 0])
    return image * shading(body, pose, cover)[..., None], cover


def shading(body: Body, pose: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Return (H, W) factors of brightness, for light from one side and a darker outline."""
    height, width = cover.shape
    scale = float(np.hypot(pose[0, 0], pose[1, 0])) + 1e-3
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    side = body.light[0] * (x - pose[0, 2]) / scale + body.light[1] * (y - pose[1, 2]) / scale
    inner = cv2.GaussianBlur(cover, (0, 0), max(0.15 * scale, 0.5))
    return np.clip(1 + side, 0.4, 1.6) * (0.6 + 0.4 * inner)


@dataclass(frozen=True)
class Film:
    """Content of a video.

    Attributes:
        size (tuple[int, int]): Height and width of the frames.
        bodies (list[Body]): Objects, from the furthest to the nearest.
        screens (list[Body]): Blurred things in front of them, which are not annotated.
        world (np.ndarray): (2 H, 2 W, 3) float32 background; its middle is that of the first
            frame.
        follow (float): Share of the motion of the first object that the camera follows.
        pan (tuple[Wobble, Wobble]): Further motion of the camera in pixels.
        zoom (Wobble): Logarithm of the zoom of the camera.
        shutter (float): Share of the time of a frame in which it is exposed.
        grain (float): Noise of the sensor in grey levels.
        tone (np.ndarray): (3,) factors of the colour channels.
    """

    size: tuple[int, int]
    bodies: list[Body]
    screens: list[Body]
    world: np.ndarray
    follow: float
    pan: tuple[Wobble, Wobble]
    zoom: Wobble
    shutter: float
    grain: float
    tone: np.ndarray

    def view(self, time: float) -> np.ndarray:
        """Return the (3, 3) transform from the world to the frame."""
        height, width = self.size
        lead = self.bodies[0]
        x = self.follow * lead.x(time) + self.pan[0](time)
        y = self.follow * lead.y(time) + self.pan[1](time)
        x, y = np.clip(x, -width, width), np.clip(y, -height, height)
        scale = np.exp(self.zoom(time))
        return np.array(
            [
                [scale, 0, width / 2 * (1 - scale) - scale * x],
                [0, scale, height / 2 * (1 - scale) - scale * y],
                [0, 0, 1],
            ]
        )


def random_film(rng: np.random.Generator, size: tuple[int, int]) -> Film:
    """Return a video of (height, width) ``size`` with one to three objects."""
    height, width = size
    speed = rng.choice([0.01, 0.03, 0.08])
    number = rng.choice([1, 1, 1, 1, 2, 2, 3])
    screens = [random_body(rng, size, 0.06) for _ in range(rng.random() < 0.05)]
    return Film(
        size,
        [random_body(rng, size, speed) for _ in range(number)],
        screens,
        landscape(rng, 2 * height, 2 * width).astype(np.float32),
        follow=rng.choice([0, 0.5, 1, 1]),
        pan=(
            random_wobble(rng, 0.05 * width, 0.3, 0.02 * width),
            random_wobble(rng, 0.05 * height, 0.3),
        ),
        zoom=random_wobble(rng, 0.08, 0.2),
        shutter=float(rng.uniform(0, 1)),
        grain=float(rng.uniform(0, 6)),
        tone=rng.uniform(0.8, 1.2, 3).astype(np.float32),
    )


def easier(film: Film) -> Film:
    """Return a video with a grey background and more colourful objects.

    A network learns from a share of such videos at once what objects are, and
    with that, to find them in the others.
    """
    grey = film.world.mean(axis=2, keepdims=True)
    world = np.repeat(110 + 0.5 * (grey - grey.mean()), 3, axis=2)
    return replace(film, world=world, bodies=[colourful(body) for body in film.bodies])


def colourful(body: Body) -> Body:
    """Return an object with three times the saturation."""
    parts = []
    for part in body.parts:
        grey = part.surface.mean(axis=2, keepdims=True)
        surface = np.clip(grey + 3 * (part.surface - grey), 0, 255)
        parts.append(replace(part, surface=surface))
    return replace(body, parts=parts)


def expose(film: Film, time: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draw one moment.

    Returns:
        tuple: (H, W, 3) float32 image, and for each object its (H, W) float32 visible share of
        every pixel.
    """
    height, width = film.size
    view = film.view(time)
    start = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    image = cv2.warpAffine(
        film.world, (view @ start)[:2], (width, height), borderMode=cv2.BORDER_REFLECT
    )
    covers: list[np.ndarray] = []
    for body in film.bodies:
        colour, cover = draw_body(body, view, time, film.size)
        fall = np.array([[1, 0, 0.05 * height], [0, 1, 0.06 * height]])
        shadow = cv2.GaussianBlur(
            cv2.warpAffine(cover, fall, (width, height)), (0, 0), 0.03 * height
        )
        image = image * (1 - body.shadow * shadow)[..., None]
        image = image + (colour - image) * cover[..., None]
        covers = [each * (1 - cover) for each in covers] + [cover]
    for body in film.screens:
        colour, cover = draw_body(body, view, time, film.size)
        cover, colour = (cv2.GaussianBlur(each, (0, 0), 0.02 * height) for each in (cover, colour))
        image = image + (colour - image) * cover[..., None]
        covers = [each * (1 - cover) for each in covers]
    return image, covers


def frames(
    rng: np.random.Generator, film: Film, num_frames: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the frames of a video.

    Yields:
        tuple: (H, W, 3) uint8 BGR, and (N, H, W) bool masks of the objects.
    """
    for frame in range(num_frames):
        times = frame + film.shutter * (np.arange(EXPOSURES) / EXPOSURES - 0.5)
        moments = [expose(film, float(time)) for time in times]
        image = sum(moment[0] for moment in moments) / EXPOSURES
        shares = np.mean([moment[1] for moment in moments], axis=0)
        image = image * film.tone + rng.normal(0, film.grain, image.shape)
        yield np.clip(image, 0, 255).astype(np.uint8), shares > 0.5
