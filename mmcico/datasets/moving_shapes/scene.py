"""Draws a scene: which things there are and how they move."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .classes import SHAPE_CLASSES, Contours, outline
from .config import SceneConfig
from .glitches import Glitches, random_glitches
from .motion import Camera, Pair, Swing, Trajectory, random_swing
from .textures import background_texture, object_texture, post_texture

CANDIDATE_PATHS = 8
UNIT_BOX = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


@dataclass(frozen=True)
class Thing:
    """An object, or a post of the scenery.

    Attributes:
        contours: outline in unit coordinates, even-odd rule.
        texture: (S, S, 3) float32 BGR over the unit box.
        trajectory: pose over time.
        label: class index; None for scenery, which is never annotated.
    """

    contours: Contours
    texture: np.ndarray
    trajectory: Trajectory
    label: int | None = None


@dataclass(frozen=True)
class Scene:
    """All that a video shows.

    Attributes:
        things: from the furthest to the nearest.
        camera: how they are seen.
        background: (H', W', 3) float32 BGR, its middle at the frame's.
        shutter: share of the frame time during which light comes in.
        focus: blur radius that swings about zero, in pixels; sharp below 0.
        glitches: frames that are spoilt.
    """

    things: Sequence[Thing]
    camera: Camera
    background: np.ndarray
    shutter: float = 0.0
    focus: Swing = Swing()
    glitches: Glitches = Glitches()


def build_scene(rng: np.random.Generator, config: SceneConfig) -> Scene:
    """A scene drawn from ``rng``."""
    height, width = config.size
    count = int(rng.integers(config.objects[0], config.objects[1] + 1))
    things: list[Thing] = []
    for _ in range(count):
        things.append(_build_object(rng, config, things, count))
    for _ in range(int(rng.random() * 3 * config.occlusion)):
        place = int(rng.integers(len(things) // 2, len(things) + 1))
        things.insert(place, _build_post(rng, config))
    return Scene(
        things=things,
        camera=_build_camera(rng, config),
        background=background_texture(rng, 2 * height, 2 * width),
        shutter=config.blur,
        focus=random_swing(rng, 0.02 * config.blur * min(height, width), 0.3),
        glitches=random_glitches(rng, config.num_frames, config.flicker),
    )


def _build_object(
    rng: np.random.Generator, config: SceneConfig, others: Sequence[Thing], count: int
) -> Thing:
    """An object on the best of a few paths.

    Best is far from, or (with the probability ``occlusion``) through the
    objects that are there already.
    """
    label = int(rng.integers(config.num_classes))
    kind = SHAPE_CLASSES[label]
    largest = 0.30 * max(0.65, 1 - 0.06 * (count - 1))
    radius = min(config.size) * rng.uniform(0.13, largest)
    leaves = config.num_frames >= 5 and rng.random() < 0.5 * config.motion**2
    paths = [_random_path(rng, config, radius, leaves) for _ in range(CANDIDATE_PATHS)]
    other_paths = [o.trajectory for o in others if o.label is not None]
    gaps = np.array([_smallest_gap(p, other_paths, config) for p in paths])
    merits = -gaps if rng.random() < config.occlusion else gaps
    outside = np.array([_share_outside(p, config) for p in paths])
    best = int(np.argmax(merits - 9 * np.maximum(outside - 0.5, 0)))
    size = int(np.clip(np.ceil(2.2 * radius), 24, 512))
    return Thing(
        contours=outline(kind.name),
        texture=object_texture(rng, kind.pattern, kind.hue, size),
        trajectory=paths[best],
        label=label,
    )


def _random_path(
    rng: np.random.Generator, config: SceneConfig, radius: float, leaves: bool
) -> Trajectory:
    """A swinging path inside the frame, with a trip outside if it leaves."""
    height, width = config.size
    speed = 0.055 * config.motion
    stretch = rng.uniform(0.9, 1.1)
    centre = (width * rng.uniform(0.15, 0.85), height * rng.uniform(0.2, 0.8))
    swing = (
        random_swing(rng, 0.3 * width, speed * width),
        random_swing(rng, 0.25 * height, speed * height),
    )
    trip, trip_time = (0.0, 0.0), (0.0, 0.0)
    if leaves:
        reach = 1.4 * radius + max(swing[0].amplitude, swing[1].amplitude)
        trip = _way_out(centre, reach, config)
        start = config.num_frames * rng.uniform(0, 0.3)
        trip_time = (start, start + config.num_frames * rng.uniform(0.6, 0.8))
    return Trajectory(
        centre=centre,
        swing=swing,
        radius=(radius * stretch, radius / stretch),
        angle=rng.uniform(0, 2 * np.pi),
        spin=rng.uniform(-0.25, 0.25) * config.motion,
        growth=random_swing(rng, 0.3 * config.motion, 0.06),
        trip=trip,
        trip_time=trip_time,
    )


def _way_out(centre: Pair, reach: float, config: SceneConfig) -> Pair:
    """Shift that takes ``centre`` over the nearest border by ``reach``."""
    height, width = config.size
    x, y = centre
    ways = [
        (-x - reach, 0.0),
        (width - x + reach, 0.0),
        (0.0, -y - reach),
        (0.0, height - y + reach),
    ]
    return min(ways, key=lambda way: abs(way[0]) + abs(way[1]))


def _share_outside(path: Trajectory, config: SceneConfig) -> float:
    """Share of the frames in which the centre is outside the frame."""
    height, width = config.size
    own = np.stack([path.position(t) for t in range(config.num_frames)])
    inside = ((own >= 0) & (own < [width, height])).all(axis=1)
    return 1.0 - float(inside.mean())


def _smallest_gap(path: Trajectory, others: Sequence[Trajectory], config: SceneConfig) -> float:
    """Least distance to the other paths in the same frame, at most 3.

    Counted in sums of both radii; below 1 things overlap.
    """
    gap = 3.0
    for other in others:
        for time in range(config.num_frames):
            step = path.position(time) - other.position(time)
            distance = float(np.hypot(step[0], step[1]))
            gap = min(gap, distance / (path.radius[0] + other.radius[0]))
    return gap


def _build_post(rng: np.random.Generator, config: SceneConfig) -> Thing:
    """A standing post, higher than the frame at any zoom."""
    height, width = config.size
    half_width = width * rng.uniform(0.02, 0.06)
    path = Trajectory(
        centre=(width * rng.uniform(0.1, 0.9), height / 2),
        radius=(half_width, 1.5 * height),
        angle=rng.uniform(-0.1, 0.1),
    )
    return Thing([UNIT_BOX], post_texture(rng, 64), path)


def _build_camera(rng: np.random.Generator, config: SceneConfig) -> Camera:
    height, width = config.size
    move = config.camera
    return Camera(
        middle=((width - 1) / 2, (height - 1) / 2),
        pan=(
            random_swing(rng, 0.2 * move * width, 0.04 * move * width),
            random_swing(rng, 0.15 * move * height, 0.03 * move * height),
        ),
        zoom=random_swing(rng, 0.15 * move, 0.03 * move),
        roll=random_swing(rng, 0.12 * move, 0.03 * move),
    )
