"""How pictures look, and frames drawn that way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .draw import DrawnObject, draw_objects
from .resizing import resized

#: frames are not enlarged beyond; players and encoders have limits
LONGEST = 4096


@dataclass(frozen=True)
class DrawStyle:
    """How overlays look.

    Attributes:
        opacity: of the tint inside masks, 0 to 1.
        boxes: draw boxes too.
        labels: write id, class and score.
        min_side: frames with a smaller shorter side are enlarged by a whole
            factor until they reach it, or the longer one :data:`LONGEST`.
        contours: outline masks.
        enclosing: dashed, the circumscribed box of each object over the
            frame and its two neighbours (eq. 4).
        trail: join the centres of each object in the last so many frames;
            0 for none.

    Raises:
        ValueError: If a number is out of its range.
    """

    opacity: float = 0.45
    boxes: bool = False
    labels: bool = True
    min_side: int = 320
    contours: bool = True
    enclosing: bool = False
    trail: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1:
            raise ValueError(
                f'opacity is {self.opacity}; choose 0 (masks are '
                'not tinted) to 1 (nothing shows through)'
            )
        if self.trail < 0:
            raise ValueError(
                f'trail is {self.trail}; choose a number of frames, or 0 for no trails'
            )


def draw_frame(
    image: np.ndarray, objects: Sequence[DrawnObject], style: DrawStyle, width: int | None = None
) -> np.ndarray:
    """A copy of a frame with its objects, enlarged if it is small.

    Frames get their size first, so that labels can be read at any.

    Args:
        image: (H, W, 3) uint8 BGR.
        objects: later ones are drawn over earlier ones.
        style: looks.
        width: the picture is not wider.

    Returns:
        (H', W', 3) uint8 BGR.
    """
    factor = max(
        1, min(-(-style.min_side // min(image.shape[:2])), LONGEST // max(image.shape[:2]))
    )
    if width is not None:
        factor = min(factor, width / image.shape[1])
    image, objects = resized(image, objects, factor)
    return draw_objects(image, objects, style.opacity, style.boxes, style.labels, style.contours)
