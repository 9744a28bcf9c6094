"""Single frames that show little: out of focus, grey, faint and grainy."""

from dataclasses import dataclass

import cv2
import numpy as np

# at a strength of 1
BLUR = 0.05  # of the shorter side of the frame
CONTRAST = 0.08  # what is left of it
COLOUR = 0.25  # what is left of it
GRAIN = 24.0  # levels of each channel

WEAKEST = 0.85


@dataclass(frozen=True)
class Glitches:
    """How far each frame is spoilt; what is in it does not change.

    Attributes:
        strengths: 0 (as it is) to 1, of each frame; () spoils none.
        seed: of the grain.
    """

    strengths: tuple[float, ...] = ()
    seed: int = 0

    def spoil(self, picture: np.ndarray, time: float) -> np.ndarray:
        """What the camera gives instead of ``picture``.

        Args:
            picture: (H, W, 3) float32 BGR.
            time: of the picture, in frames.

        Returns:
            (H, W, 3) float32 BGR; the picture itself where nothing happens.
        """
        frame = int(round(time))
        strength = self.strengths[frame] if frame < len(self.strengths) else 0.0
        if strength == 0:
            return picture
        height, width = picture.shape[:2]
        sigma = BLUR * strength * min(height, width)
        soft = cv2.GaussianBlur(picture, (0, 0), sigma)
        grey = soft.mean(axis=2, keepdims=True)
        pale = grey + (soft - grey) * (1 - (1 - COLOUR) * strength)
        middle = pale.mean()
        faint = middle + (pale - middle) * (1 - (1 - CONTRAST) * strength)
        rng = np.random.default_rng([self.seed, frame])
        grain = rng.standard_normal(picture.shape, np.float32)
        return (faint + GRAIN * strength * grain).astype(np.float32)


def random_glitches(rng: np.random.Generator, num_frames: int, flicker: float) -> Glitches:
    """Spoils a share ``flicker / 2`` of the frames.

    Draws nothing for 0, so that videos without stay as they are.
    """
    if flicker == 0:
        return Glitches()
    hit = rng.random(num_frames) < flicker / 2
    strengths = np.where(hit, rng.uniform(WEAKEST, 1.0, num_frames), 0.0)
    return Glitches(tuple(strengths.tolist()), int(rng.integers(2**31)))
