"""Appearance of objects, posts, backgrounds and single frames; masks do not depend on it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _wave(phase: np.ndarray) -> np.ndarray:
    """Return a soft square wave in [0, 1] with period 1."""
    return np.clip(0.5 + 1.6 * np.sin(2 * np.pi * phase), 0, 1)


def _triangle_wave(phase: np.ndarray) -> np.ndarray:
    return np.abs((phase % 1) * 2 - 1)


# Each maps unit coordinates x and y, (S, S), to the share of the second colour, (S, S).
PATTERNS: dict[str, Pattern] = {
    'stripes': lambda x, y: _wave(1.6 * x),
    'checker': lambda x, y: np.clip(0.5 + 2.5 * np.sin(4.4 * x) * np.sin(4.4 * y), 0, 1),
    'dots': lambda x, y: np.clip(3 * (np.cos(9 * x) + np.cos(9 * y)) - 1.5, 0, 1),
    'spokes': lambda x, y: _wave(np.arctan2(y, x) * 2.5 / np.pi),
    'zigzag': lambda x, y: _wave(2 * y + 0.7 * _triangle_wave(2 * x)),
    'bricks': lambda x, y: np.maximum(
        np.clip(8 * (np.abs(np.sin(5 * y)) - 0.88), 0, 1),
        np.clip(8 * (np.abs(np.sin(4 * x + np.pi / 2 * np.floor(5 * y / np.pi))) - 0.93), 0, 1),
    ),
    'halves': lambda x, y: np.clip(0.5 + 8 * x, 0, 1),
    'waves': lambda x, y: _wave(2 * y + 0.25 * np.sin(6 * x)),
    'chevrons': lambda x, y: _wave(1.8 * (y - np.abs(x))),
    'rings': lambda x, y: _wave(2 * np.hypot(x, y)),
    'grid': lambda x, y: np.maximum(
        np.clip(5 * np.cos(10 * x) - 3, 0, 1), np.clip(5 * np.cos(10 * y) - 3, 0, 1)
    ),
    'bands': lambda x, y: 0.5 + 0.5 * np.sin(3 * y),
}


def hsv_colour(hue: float, saturation: float, value: float) -> np.ndarray:
    """Return BGR in 0..255, (3,) float32, for a hue in degrees and the others in 0..1."""
    hsv = np.array([[[hue % 360, saturation, value]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0] * 255


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    return np.meshgrid(axis, axis)


def object_texture(rng: np.random.Generator, pattern: str, hue: float, size: int) -> np.ndarray:
    """Draw a pattern of two tones of a hue in degrees, lit from one side.

    ``rng`` gives small differences between objects of a class. The texture is (size, size, 3)
    float32 BGR in 0..255.
    """
    hue = hue + rng.uniform(-9, 9)
    base = hsv_colour(hue, rng.uniform(0.75, 0.95), rng.uniform(0.7, 0.95))
    if rng.random() < 0.5:
        other = hsv_colour(hue + 15, rng.uniform(0.15, 0.35), 0.97)
    else:
        other = hsv_colour(hue - 15, 0.9, rng.uniform(0.25, 0.4))
    x, y = _grid(size)
    share = PATTERNS[pattern](x, y)[..., None]
    light = rng.uniform(-0.16, 0.16, 2)
    shade = 1 + light[0] * x + light[1] * y
    rim = 1 - 0.3 * np.clip((np.hypot(x, y) - 0.8) / 0.2, 0, 1)
    texture = (base + (other - base) * share) * (shade * rim)[..., None]
    return np.clip(texture, 0, 255).astype(np.float32)


def noise(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Draw smooth noise of three octaves, (height, width) float32 in 0..1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(3):
        count = cells * 2**octave
        coarse = rng.random((count + 1, count + 1)).astype(np.float32)
        fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        total += fine / 2**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def background_texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw a dull background of patches and lines, (H, W, 3) float32 BGR."""
    hue = rng.uniform(0, 360)
    tones = [
        hsv_colour(hue + rng.uniform(-40, 40), rng.uniform(0.08, 0.3), value)
        for value in (rng.uniform(0.2, 0.4), rng.uniform(0.45, 0.7))
    ]
    blend = noise(rng, height, width, int(rng.integers(3, 6)))[..., None]
    image = tones[0] + (tones[1] - tones[0]) * blend
    image = np.ascontiguousarray(image, np.float32)
    for _ in range(int(rng.integers(3, 8))):
        tone = tones[int(rng.integers(2))] * rng.uniform(0.7, 1.3)
        ends = rng.random((2, 2)) * [width, height]
        first, second = ends.astype(int).tolist()
        thickness = int(rng.integers(1, max(2, height // 40) + 1))
        cv2.line(image, first, second, tone.tolist(), thickness, cv2.LINE_AA)
    grain = noise(rng, height, width, max(8, height // 12))[..., None]
    return np.clip(image * (0.85 + 0.3 * grain), 0, 255).astype(np.float32)


def post_texture(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw the surface of a dull round post, (size, size, 3) float32 BGR."""
    tone = hsv_colour(rng.uniform(0, 360), rng.uniform(0.05, 0.25), rng.uniform(0.25, 0.75))
    x, _ = _grid(size)
    shade = 0.55 + 0.45 * np.sqrt(np.clip(1 - x**2, 0, 1))
    grain = 0.85 + 0.3 * noise(rng, size, size, 6)
    image = tone * (shade * grain)[..., None]
    return np.clip(image, 0, 255).astype(np.float32)


# Changes of a frame at a strength of 1.
GLITCH_BLUR = 0.05  # radius, as a share of the shorter side of the frame
GLITCH_CONTRAST = 0.08  # share of the contrast that is left
GLITCH_COLOUR = 0.25  # share of the saturation that is left
GLITCH_GRAIN = 24.0  # standard deviation of the noise, in levels
GLITCH_WEAKEST = 0.85  # smallest strength that is drawn


@dataclass(frozen=True)
class Glitches:
    """Frames of poor quality: blurred, grey, low in contrast and noisy.

    Attributes:
        strengths: 0 (unchanged) to 1 for each frame; () leaves all unchanged.
        seed: seed of the noise.
    """

    strengths: tuple[float, ...] = ()
    seed: int = 0

    def spoil(self, picture: np.ndarray, time: float) -> np.ndarray:
        """Return ``picture`` (H, W, 3) as the camera takes it at ``time``, float32 BGR."""
        frame = int(round(time))
        strength = self.strengths[frame] if frame < len(self.strengths) else 0.0
        if strength == 0:
            return picture
        height, width = picture.shape[:2]
        sigma = GLITCH_BLUR * strength * min(height, width)
        soft = cv2.GaussianBlur(picture, (0, 0), sigma)
        grey = soft.mean(axis=2, keepdims=True)
        pale = grey + (soft - grey) * (1 - (1 - GLITCH_COLOUR) * strength)
        middle = pale.mean()
        faint = middle + (pale - middle) * (1 - (1 - GLITCH_CONTRAST) * strength)
        rng = np.random.default_rng([self.seed, frame])
        grain = rng.standard_normal(picture.shape, np.float32)
        return (faint + GLITCH_GRAIN * strength * grain).astype(np.float32)


def random_glitches(rng: np.random.Generator, num_frames: int, flicker: float) -> Glitches:
    """Draw glitches for a share ``flicker / 2`` of the frames.

    Nothing is drawn from ``rng`` if ``flicker`` is 0, so that other videos keep their content.
    """
    if flicker == 0:
        return Glitches()
    hit = rng.random(num_frames) < flicker / 2
    strengths = np.where(hit, rng.uniform(GLITCH_WEAKEST, 1.0, num_frames), 0.0)
    return Glitches(tuple(strengths.tolist()), int(rng.integers(2**31)))
