"""Settings of videos, and random scenes: which objects a video shows and how they move."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .classes import SHAPE_CLASSES, Contours, outline
from .motion import Camera, Pair, Swing, Trajectory, random_swing
from .textures import Glitches, background_texture, object_texture, post_texture, random_glitches

DIFFICULTIES: dict[str, dict[str, Any]] = {
    'easy': dict(motion=0.3, occlusion=0.1, blur=0.0, camera=0.1),
    'medium': dict(motion=0.5, occlusion=0.4, blur=0.3, camera=0.3),
    'hard': dict(motion=1.0, occlusion=0.8, blur=1.0, camera=0.7),
}

CANDIDATE_PATHS = 8
UNIT_BOX = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


@dataclass(frozen=True)
class SceneConfig:
    """Settings of generated videos.

    Args:
        num_frames: number of frames of each video.
        size: height and width of the frames in pixels.
        num_classes: number of classes, taken from the start of ``SHAPE_CLASSES``.
        objects: smallest and largest number of objects in a video.
        motion: 0 (still) to 1 (objects move by about 5 % of the frame between two frames,
            rotate, change size, leave the frame and return).
        occlusion: 0 (objects avoid each other where there is room) to 1 (objects cross, and
            posts in the foreground hide them).
        blur: 0 (sharp) to 1 (the shutter is open for the whole frame time, and the picture is
            sometimes out of focus).
        camera: 0 (still) to 1 (fast pan, zoom and roll).
        flicker: 0 (none) to 1 (every second frame is blurred, grey, low in contrast and
            noisy, so that the frames around it show more). No difficulty sets it.
        min_visible: an object with fewer visible pixels in a frame counts as absent there.

    Raises:
        ValueError: If a value is out of its range.
    """

    num_frames: int = 10
    size: tuple[int, int] = (96, 160)
    num_classes: int = 4
    objects: tuple[int, int] = (1, 4)
    motion: float = 0.5
    occlusion: float = 0.4
    blur: float = 0.3
    camera: float = 0.3
    flicker: float = 0.0
    min_visible: int = 24

    def __post_init__(self) -> None:
        most = len(SHAPE_CLASSES)
        low, high = self.objects
        classes = 1 <= self.num_classes <= most
        _require(self.num_frames >= 1, 'num_frames', self.num_frames, 'at least 1')
        _require(min(self.size) >= 32, 'size', self.size, 'at least 32 pixels for both sides')
        _require(classes, 'num_classes', self.num_classes, f'1 to {most}')
        _require(0 <= low <= high, 'objects', self.objects, 'two numbers 0 <= MIN <= MAX')
        _require(self.min_visible >= 1, 'min_visible', self.min_visible, 'at least 1 pixel')
        for name in ('motion', 'occlusion', 'blur', 'camera', 'flicker'):
            value = getattr(self, name)
            _require(0 <= value <= 1, name, value, '0 to 1')


def _require(ok: bool, name: str, value: object, wanted: str) -> None:
    """Raise a ``ValueError`` that names the accepted values unless ``ok``."""
    if not ok:
        raise ValueError(f'moving shapes: {name} is {value}, choose {wanted}')


def make_config(difficulty: str = 'medium', **values: Any) -> SceneConfig:
    """Return the settings of a difficulty.

    Args:
        difficulty: ``'easy'``, ``'medium'`` or ``'hard'``.
        **values: fields of ``SceneConfig``, which override those of the difficulty.

    Raises:
        ValueError: If the difficulty is unknown or a value is out of its range.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(
            f'moving shapes: difficulty is "{difficulty}", choose one of {", ".join(DIFFICULTIES)}'
        )
    return SceneConfig(**{**DIFFICULTIES[difficulty], **values})


@dataclass(frozen=True)
class Thing:
    """An object, or a post in the foreground.

    Attributes:
        contours: outline in unit coordinates, filled by the even-odd rule.
        texture: (S, S, 3) float32 BGR over the unit box.
        trajectory: pose over time.
        label: class index; None for posts, which are never annotated.
    """

    contours: Contours
    texture: np.ndarray
    trajectory: Trajectory
    label: int | None = None


@dataclass(frozen=True)
class Scene:
    """Content of a video.

    Attributes:
        things: objects and posts, the farthest first.
        camera: pose of the camera over time.
        background: (H', W', 3) float32 BGR, centred on the frame.
        shutter: share of the frame time during which the shutter is open.
        focus: blur radius in pixels; frames are sharp where it is negative.
        glitches: frames of poor quality.
    """

    things: Sequence[Thing]
    camera: Camera
    background: np.ndarray
    shutter: float = 0.0
    focus: Swing = Swing()
    glitches: Glitches = Glitches()


def build_scene(rng: np.random.Generator, config: SceneConfig) -> Scene:
    """Draw a scene."""
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
    """Draw an object and choose the best of a few random paths for it.

    The best path is the farthest from the other objects or, with probability ``occlusion``,
    the nearest.
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
    """Draw a path inside the frame, with a detour outside of it if ``leaves``."""
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
    """Return the offset that moves ``centre`` beyond the nearest border by ``reach``."""
    (height, width), (x, y) = config.size, centre
    left, right = (-x - reach, 0.0), (width - x + reach, 0.0)
    up, down = (0.0, -y - reach), (0.0, height - y + reach)
    return min((left, right, up, down), key=lambda way: abs(way[0]) + abs(way[1]))


def _share_outside(path: Trajectory, config: SceneConfig) -> float:
    """Return the share of the frames in which the centre is outside the frame."""
    height, width = config.size
    own = np.stack([path.position(t) for t in range(config.num_frames)])
    inside = ((own >= 0) & (own < [width, height])).all(axis=1)
    return 1.0 - float(inside.mean())


def _smallest_gap(path: Trajectory, others: Sequence[Trajectory], config: SceneConfig) -> float:
    """Return the smallest distance to the other paths in any frame, at most 3.

    The unit is the sum of both radii: objects overlap below 1.
    """
    gap = 3.0
    for other in others:
        for time in range(config.num_frames):
            step = path.position(time) - other.position(time)
            distance = float(np.hypot(step[0], step[1]))
            gap = min(gap, distance / (path.radius[0] + other.radius[0]))
    return gap


def _build_post(rng: np.random.Generator, config: SceneConfig) -> Thing:
    """Draw an upright post that is taller than the frame at any zoom."""
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
