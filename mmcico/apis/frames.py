"""What is taken as a frame."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

#: grey, BGR, BGR with transparency
CHANNELS = (1, 3, 4)


class UntilError:
    """Items up to an error, which is kept instead of raised.

    Args:
        items (Iterable): Where they come from.

    Attributes:
        error (Exception, optional): What ended them.
    """

    def __init__(self, items: Iterable[np.ndarray]) -> None:
        self.items = items
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        items = iter(self.items)
        while True:
            try:
                item = next(items)
            except StopIteration:
                return
            except Exception as error:
                self.error = error
                return
            yield item


def checked_frame(frame: Any, where: str, size: tuple[int, int] | None) -> np.ndarray:
    """A frame as models take it.

    Args:
        frame (ndarray): See :func:`as_bgr`.
        where (str): For messages.
        size (tuple[int, int], optional): Height and width of the frames
            before, None for the first one.

    Returns:
        ndarray: (H, W, 3) uint8 BGR.

    Raises:
        ValueError: If it is no image, or of another size.
    """
    frame = as_bgr(frame, where)
    if size is not None and frame.shape[:2] != size:
        raise ValueError(
            f'{where} is {frame.shape[:2]} (height, width), those before '
            f'were {size}; a video has one size, treat what follows as '
            'another video'
        )
    return frame


def as_bgr(frame: Any, where: str) -> np.ndarray:
    """A frame with three channels.

    Args:
        frame (ndarray): (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA,
            uint8.
        where (str): For messages.

    Returns:
        ndarray: (H, W, 3) uint8.

    Raises:
        ValueError: If it is anything else.
    """
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        kind = getattr(frame, 'dtype', type(frame).__name__)
        raise ValueError(
            f'{where} is {kind}; frames are arrays of uint8, '
            '(height, width, 3) in the order blue, green, red'
        )
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.ndim != 3 or frame.shape[2] not in CHANNELS or not frame.size:
        raise ValueError(
            f'{where} has the shape {frame.shape}; frames are '
            '(height, width) or (height, width, 1, 3 or 4)'
        )
    if frame.shape[2] == 1:
        return frame.repeat(3, axis=2)
    return frame[..., :3]
