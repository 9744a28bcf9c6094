"""A still image seen by a camera that moves a little."""

import math
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as mask_api

# ImageNet's mean colour, BGR, where the camera looks past the image
BORDER = (104, 116, 124)


@dataclass(frozen=True)
class Motion:
    """A motion at constant speed; the image itself is in the middle.

    The three amounts are the most that the first and last frame differ from
    the middle of the video; each image draws its own from within.

    Attributes:
        num_frames (int): T.
        rotation (float): Degrees.
        zoom (float): Share of the size.
        shift (float): Share of height and width.
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
        """Where each frame has the points of the image.

        Args:
            name (str): Of the image: whatever its place in the file, its
                motion is the same.
            seed (int): From 0.
            size (tuple[int, int]): (height, width).

        Returns:
            np.ndarray: (T, 2, 3) float64; (x, y, 1) of the image -> (x, y)
            of the frame.
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
    """(2, 3) matrix that turns and scales around the centre, then shifts.

    Args:
        angle (float): Radians, from x towards y.
        scale (float): 1 keeps the size.
        shift (tuple[float, float]): Pixels to the right and down.
        size (tuple[int, int]): (height, width).
    """
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return np.column_stack([turn, centre - turn @ centre + shift])


def moved_image(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 image -> what the frame of a (2, 3) matrix shows."""
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderValue=BORDER)


def moved_counts(counts: bytes, size: tuple[int, int], matrix: np.ndarray) -> bytes | None:
    """The same for a mask.

    Args:
        counts (bytes): Compressed RLE counts.
        size (tuple[int, int]): (height, width).
        matrix (np.ndarray): (2, 3).

    Returns:
        bytes | None: None if it has left the frame.
    """
    mask = mask_api.decode(dict(size=list(size), counts=counts))
    share = cv2.warpAffine(mask.astype(np.float32), matrix, size[::-1])
    moved = np.asfortranarray(share > 0.5, np.uint8)
    return mask_api.encode(moved)['counts'] if moved.any() else None
