"""Objects of several swinging parts, and how they are drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from natural_plans import PLANS, SHARES, WHEELS, Limb
from natural_textures import BACKGROUND_HUES, flattened, material

#: side of the surface of a part in pixels
SURFACE = 80


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
        limb (Limb): Where it is, and its size.
        harmonics (list[tuple]): Waves of the outline, each a number and a size over time.
        angle (Wobble): Turn from the angle at rest, radians.
        surface (np.ndarray): (S, S, 3) float32 BGR texture of its box.
    """

    limb: Limb
    harmonics: list[tuple[int, Wobble]]
    angle: Wobble
    surface: np.ndarray

    def pose(self, time: float) -> np.ndarray:
        """Return the (3, 3) transform from units of its axes to radii of the object."""
        limb, turn = self.limb, self.limb.rest + self.angle(time)
        c, s = np.cos(turn), np.sin(turn)
        place = np.array([[c, -s, limb.anchor[0]], [s, c, limb.anchor[1]], [0, 0, 1]])
        shift = np.array([[1, 0, 0], [0, 1, limb.hang * limb.axes[1]], [0, 0, 1]])
        return place @ shift @ np.diag([*limb.axes, 1])

    def outline(self, time: float) -> np.ndarray:
        """Return (48, 2) points of the outline in units of the part's axes."""
        phi = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        radius = 1 + sum(wobble(time) * np.cos(number * phi) for number, wobble in self.harmonics)
        power = 2 / self.limb.square
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
        turn (Wobble): Logarithm of its change of width, as it turns to the side.
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
    turn: Wobble
    angle: Wobble
    light: tuple[float, float]
    shadow: float

    def pose(self, time: float) -> np.ndarray:
        """Return the (3, 3) transform from radii to pixels of the world."""
        scale, turn = self.radius * np.exp(self.growth(time)), self.angle(time)
        c, s, wide = scale * np.cos(turn), scale * np.sin(turn), np.exp(self.turn(time))
        x, y = self.middle[0] + self.x(time), self.middle[1] + self.y(time)
        return np.array([[c * wide, -s, x], [s * wide, c, y], [0, 0, 1]])


class Drawing(NamedTuple):
    """A drawn object.

    Attributes:
        box: Rows and columns of the frame that it covers.
        colour: (h, w, 3) float32 BGR.
        cover: (h, w) float32, 0..1.
    """

    box: tuple[slice, slice]
    colour: np.ndarray
    cover: np.ndarray

    def paste(self, image: np.ndarray) -> None:
        """Draw it on an image (H, W, 3) or, at full strength, on a map (H, W)."""
        part = image[self.box]
        if image.ndim == 2:
            part += (1 - part) * self.cover
        else:
            part += (self.colour - part) * self.cover[..., None]


def random_parts(rng: np.random.Generator, limbs: Sequence[Limb]) -> list[Part]:
    """Return the parts of a plan; groups of parts have one surface or several."""
    hue = rng.uniform(0, 360) if rng.random() < 0.6 else rng.choice(BACKGROUND_HUES)
    pace, mirror = rng.uniform(0.1, 0.5), rng.choice([-1, 1])
    waves, other = rng.uniform(0, 0.2), rng.choice([0.15, 0.7, 1])
    shared = flattened(rng, material(rng, SURFACE, SURFACE, hue))
    surfaces = {0: shared}
    for group in {limb.group for limb in limbs} - {0}:
        if rng.random() < other:
            own = flattened(rng, material(rng, SURFACE, SURFACE, rng.uniform(0, 360)))
            dark = 0.35 if group == WHEELS and rng.random() < 0.7 else 1
            surfaces[group] = dark * own
        else:
            surfaces[group] = shared * np.float32(rng.uniform(0.6, 1.2))
    parts = []
    for limb in limbs:
        harmonics = [
            (int(rng.integers(2, 6)), random_wobble(rng, waves, pace))
            for _ in range(0 if limb.group == WHEELS else rng.integers(0, 3))
        ]
        swing = random_wobble(rng, limb.swing, pace * 3)
        x, y = limb.anchor
        limb = limb._replace(anchor=(mirror * x, y), rest=mirror * limb.rest)
        parts.append(Part(limb, harmonics, swing, surfaces[limb.group]))
    return parts


def extent(parts: Sequence[Part], time: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest x and y (2,) of parts in radii."""
    points = np.concatenate(
        [part.outline(time) @ (pose := part.pose(time))[:2, :2].T + pose[:2, 2] for part in parts]
    )
    return points.min(axis=0), points.max(axis=0)


def random_body(
    rng: np.random.Generator,
    centre: tuple[float, float],
    height: float,
    width: float,
    step: float,
    plan: Callable[[np.random.Generator], list[Limb]] | None = None,
) -> Body:
    """Return an object.

    Args:
        rng (Generator): Random generator.
        centre (tuple[float, float]): Middle of its box at first, in pixels.
        height (float): Height of this box in pixels.
        width (float): Greatest width; the object is made smaller if it is wider.
        step (float): Greatest speed in pixels a frame.
        plan (Callable, optional): Its plan, random by default.
    """
    parts = random_parts(rng, (plan or rng.choice(PLANS, p=SHARES))(rng))
    low, high = extent(parts)
    radius = min(height / (high[1] - low[1]), width / (high[0] - low[0]))
    middle = np.asarray(centre) - radius * (low + high) / 2
    calm = float(np.clip(step / (0.05 * width), 0.1, 1))
    return Body(
        parts,
        x=random_wobble(rng, step, 0.5, step),
        y=random_wobble(rng, 0.3 * step, 0.6, 0.25 * step),
        middle=(middle[0], middle[1]),
        radius=radius,
        growth=random_wobble(rng, 0.1 * calm, 0.4, 0.05 * calm),
        turn=random_wobble(rng, 0.25 * calm, 0.4),
        angle=random_wobble(rng, rng.choice([0.05, 0.1, 0.6]), 0.4),
        light=tuple(rng.uniform(-0.4, 0.4, 2)),
        shadow=float(rng.uniform(0, 0.6)),
    )


def box_of(points: np.ndarray, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last x and y (2,) of the pixels of a frame around points (n, 2)."""
    low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, (size[1], size[0]))
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, 0, (size[1], size[0]))
    return low, high


def cover_of(points: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return the share of each pixel that lies in a polygon (n, 2), float32 of a size."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask / np.float32(255)


def draw_body(body: Body, view: np.ndarray, time: float, size: tuple[int, int]) -> Drawing:
    """Draw an object; the drawing is empty if it lies outside of the frame.

    Args:
        body (Body): The object.
        view (np.ndarray): (3, 3) transform from the world to the frame.
        time (float): Time in frames.
        size (tuple[int, int]): Height and width of the frame.
    """
    pose = view @ body.pose(time)
    poses = [pose @ part.pose(time) for part in body.parts]
    outlines = [
        part.outline(time) @ full[:2, :2].T + full[:2, 2] for part, full in zip(body.parts, poses)
    ]
    low, high = box_of(np.concatenate(outlines), size)
    width, height = (int(each) for each in high - low)
    box = np.s_[low[1] : high[1], low[0] : high[0]]
    image = np.zeros((height, width, 3), np.float32)
    cover = np.zeros((height, width), np.float32)
    if not cover.size:
        return Drawing(box, image, cover)
    unit = np.array([[SURFACE / 2.6, 0, SURFACE / 2], [0, SURFACE / 2.6, SURFACE / 2], [0, 0, 1]])
    for part, full, outline in zip(body.parts, poses, outlines):
        place = (full @ np.linalg.inv(unit))[:2]
        place[:, 2] -= low
        colour = cv2.warpAffine(part.surface, place, (width, height), borderMode=cv2.BORDER_REFLECT)
        share = cover_of(outline - low, (height, width))
        image += (colour - image) * share[..., None]
        cover = np.maximum(cover, share)
    image *= shading(body, pose, cover, low)[..., None]
    return Drawing(box, image, cover)


def shading(body: Body, pose: np.ndarray, cover: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return (h, w) factors of brightness, for light from one side and a darker outline."""
    height, width = cover.shape
    scale = float(np.hypot(pose[0, 0], pose[1, 0])) + 1e-3
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x + (low[0] - pose[0, 2]), y + (low[1] - pose[1, 2])
    side = (body.light[0] * x + body.light[1] * y) / scale
    inner = cv2.blur(cover, (max(int(0.3 * scale), 1),) * 2)
    return np.clip(1 + side, 0.4, 1.6) * (0.8 + 0.2 * inner)
