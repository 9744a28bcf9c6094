"""Videos of a still image, as from a camera that moves a little."""

import math
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from mmcico.formats.rle import decode_masks, encode_masks

# colour outside of the image: ImageNet's mean, BGR
BORDER = (104, 116, 124)


@dataclass(frozen=True)
class Motion:
    """A motion at constant speed, with the unchanged image in the middle of the video.

    The amounts are the greatest differences of the first and the last frame from the middle; each
    image draws its own amounts within these limits.

    Attributes:
        num_frames (int): T.
        rotation (float): Rotation in degrees.
        zoom (float): Change of size, as a share of the size.
        shift (float): Shift, as a share of height and width.
    """

    num_frames: int
    rotation: float = 6.0
    zoom: float = 0.1
    shift: float = 0.06

    def __post_init__(self) -> None:
        if self.num_frames < 2:
            raise ValueError(
                f'a moving video of {self.num_frames} frame: choose 2 frames or more, or no motion'
            )

    def matrices(self, name: str, seed: int, size: tuple[int, int]) -> np.ndarray:
        """Return the (T, 2, 3) matrices from (x, y, 1) of an image to (x, y) of each frame.

        The name of the image determines its motion, together with the seed; ``size`` is height and
        width.
        """
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        angle, zoom, right, down = random.uniform(-1, 1, 4).tolist()
        height, width = size
        return np.stack(
            [
                affine(
                    math.radians(angle * self.rotation * time),
                    (1 + self.zoom) ** (zoom * time),
                    (right * self.shift * width * time, down * self.shift * height * time),
                    size,
                )
                for time in np.linspace(-1, 1, self.num_frames).tolist()
            ]
        )


def affine(
    angle: float, scale: float, shift: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Return the (2, 3) matrix that rotates and scales around the centre, then shifts.

    The angle is in radians, from x towards y, the shift to the right and down in pixels, and
    ``size`` the height and width.
    """
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return np.column_stack([turn, centre - turn @ centre + shift])


def moved_image(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a (2, 3) matrix to an image (H, W, 3) uint8."""
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderValue=BORDER)


def moved_counts(counts: bytes, size: tuple[int, int], matrix: np.ndarray) -> bytes | None:
    """Apply a (2, 3) matrix to a mask, as compressed RLE; None if the object has left the frame."""
    mask = decode_masks([counts], *size)[0]
    share = cv2.warpAffine(mask.astype(np.float32), matrix, size[::-1])
    return encode_masks(share[None] > 0.5)[0]
