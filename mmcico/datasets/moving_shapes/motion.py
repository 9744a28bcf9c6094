"""Where things and the camera are at a time, measured in frames."""

from dataclasses import dataclass

import numpy as np

Pair = tuple[float, float]


@dataclass(frozen=True)
class Swing:
    """A value that swings about its centre: bounded in videos of any length.

    Attributes:
        amplitude: furthest distance from zero.
        rate: radians a frame.
        phase: radians at frame 0.
    """

    amplitude: float = 0.0
    rate: float = 0.0
    phase: float = 0.0

    def at(self, time: float) -> float:
        """Value at ``time``."""
        return self.amplitude * np.sin(self.rate * time + self.phase)


@dataclass(frozen=True)
class Trajectory:
    """Pose of one thing over time, in pixels of the world.

    The world is the frame as seen by a camera at rest.

    Attributes:
        centre: x, y about which the thing swings.
        swing: of x and of y.
        radius: half extent along its own axes.
        angle: radians at frame 0.
        spin: radians a frame.
        growth: swing of the size, as a share of it.
        trip: x, y shift at the far point of a trip away from its path.
        trip_time: first and last frame of that trip.
    """

    centre: Pair
    swing: tuple[Swing, Swing] = (Swing(), Swing())
    radius: Pair = (1.0, 1.0)
    angle: float = 0.0
    spin: float = 0.0
    growth: Swing = Swing()
    trip: Pair = (0.0, 0.0)
    trip_time: Pair = (0.0, 0.0)

    def position(self, time: float) -> np.ndarray:
        """(2,) x, y in the world."""
        start, end = self.trip_time
        away = 0.0
        if start < time < end:
            away = np.sin(np.pi * (time - start) / (end - start))
        return np.array(
            [self.centre[i] + self.swing[i].at(time) + away * self.trip[i] for i in range(2)]
        )

    def transform(self, time: float) -> np.ndarray:
        """(2, 3) affine map from unit coordinates to the world."""
        grown = 1 + self.growth.at(time)
        angle = self.angle + self.spin * time
        scale = np.array(self.radius) * grown
        linear = rotation(angle) * scale[None, :]
        return np.concatenate([linear, self.position(time)[:, None]], axis=1)


@dataclass(frozen=True)
class Camera:
    """Pan, zoom and roll about the middle of the frame.

    Attributes:
        middle: x, y of the frame's middle, in pixels.
        pan: swing of x and of y in pixels.
        zoom: swing of the magnification about 1.
        roll: swing of the angle in radians.
    """

    middle: Pair
    pan: tuple[Swing, Swing] = (Swing(), Swing())
    zoom: Swing = Swing()
    roll: Swing = Swing()

    def transform(self, time: float) -> np.ndarray:
        """(2, 3) affine map from the world to pixels of the frame."""
        linear = rotation(self.roll.at(time)) * (1 + self.zoom.at(time))
        middle = np.array(self.middle)
        looks_at = middle + [swing.at(time) for swing in self.pan]
        offset = middle - linear @ looks_at
        return np.concatenate([linear, offset[:, None]], axis=1)


def rotation(angle: float) -> np.ndarray:
    """(2, 2) rotation by ``angle`` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """(2, 3) map that applies ``inner`` first, then ``outer``."""
    linear = outer[:, :2] @ inner[:, :2]
    offset = outer[:, :2] @ inner[:, 2] + outer[:, 2]
    return np.concatenate([linear, offset[:, None]], axis=1)


def random_swing(rng: np.random.Generator, amplitude: float, speed: float) -> Swing:
    """A swing whose fastest change is about ``speed`` a frame."""
    amplitude = amplitude * rng.uniform(0.5, 1.0)
    rate = speed * rng.uniform(0.4, 1.0) / max(amplitude, 1e-6)
    # slow enough that neighbouring frames show the same movement
    return Swing(amplitude, min(rate, 0.6), rng.uniform(0, 2 * np.pi))
