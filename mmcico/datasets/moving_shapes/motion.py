"""Positions of objects and camera as functions of time, which is measured in frames."""

from dataclasses import dataclass

import numpy as np

Pair = tuple[float, float]


@dataclass(frozen=True)
class Swing:
    """Sine of time; bounded, so that it suits videos of any length.

    Attributes:
        amplitude: largest value.
        rate: radians per frame.
        phase: radians at frame 0.
    """

    amplitude: float = 0.0
    rate: float = 0.0
    phase: float = 0.0

    def at(self, time: float) -> float:
        """Return the value at ``time``."""
        return self.amplitude * np.sin(self.rate * time + self.phase)


@dataclass(frozen=True)
class Trajectory:
    """Pose of an object over time.

    World coordinates are pixels of the frame as seen by a camera at rest.

    Attributes:
        centre: x, y of the middle of the path.
        swing: offsets in x and in y.
        radius: half the extent along the object's own axes.
        angle: radians at frame 0.
        spin: radians per frame.
        growth: relative change of the size.
        trip: x, y offset at the farthest point of a detour.
        trip_time: first and last frame of the detour.
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
        """Return x, y in world coordinates, (2,)."""
        start, end = self.trip_time
        away = 0.0
        if start < time < end:
            away = np.sin(np.pi * (time - start) / (end - start))
        return np.array(
            [self.centre[i] + self.swing[i].at(time) + away * self.trip[i] for i in range(2)]
        )

    def transform(self, time: float) -> np.ndarray:
        """Return the affine map (2, 3) from unit to world coordinates."""
        scale = np.array(self.radius) * (1 + self.growth.at(time))
        linear = rotation(self.angle + self.spin * time) * scale[None, :]
        return np.concatenate([linear, self.position(time)[:, None]], axis=1)


@dataclass(frozen=True)
class Camera:
    """Camera that pans, zooms and rolls about the middle of the frame.

    Attributes:
        middle: x, y of the middle of the frame in pixels.
        pan: offsets in x and in y in pixels.
        zoom: deviation of the magnification from 1.
        roll: angle in radians.
    """

    middle: Pair
    pan: tuple[Swing, Swing] = (Swing(), Swing())
    zoom: Swing = Swing()
    roll: Swing = Swing()

    def transform(self, time: float) -> np.ndarray:
        """Return the affine map (2, 3) from world coordinates to pixels of the frame."""
        linear = rotation(self.roll.at(time)) * (1 + self.zoom.at(time))
        middle = np.array(self.middle)
        looks_at = middle + [swing.at(time) for swing in self.pan]
        offset = middle - linear @ looks_at
        return np.concatenate([linear, offset[:, None]], axis=1)


def rotation(angle: float) -> np.ndarray:
    """Return the rotation matrix (2, 2) of ``angle`` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return the affine map (2, 3) that applies ``inner`` first and ``outer`` second."""
    linear = outer[:, :2] @ inner[:, :2]
    offset = outer[:, :2] @ inner[:, 2] + outer[:, 2]
    return np.concatenate([linear, offset[:, None]], axis=1)


def random_swing(rng: np.random.Generator, amplitude: float, speed: float) -> Swing:
    """Draw a swing that changes by at most about ``speed`` per frame."""
    amplitude = amplitude * rng.uniform(0.5, 1.0)
    rate = speed * rng.uniform(0.4, 1.0) / max(amplitude, 1e-6)
    # A limited rate lets neighbouring frames show the same movement.
    return Swing(amplitude, min(rate, 0.6), rng.uniform(0, 2 * np.pi))
