"""Changes of values that go with a change of layout. Pure functions."""

from collections.abc import Sequence

import torch
from torch import Tensor

#: prototypes, three taps in time: mostly the frame itself
PROTO_TAPS = (0.125, 0.75, 0.125)


def merging_to_mmdet(value: Tensor) -> Tensor:
    """Inputs of Swin's patch merging as MMDetection orders them.

    Its 4 C inputs are four neighbouring pixels. The original counts pixel by
    pixel in the order (row, column) (0, 0), (1, 0), (0, 1), (1, 1);
    MMDetection channel by channel in the order (0, 0), (0, 1), (1, 0),
    (1, 1).

    Args:
        value (Tensor): (..., 4 C).

    Returns:
        Tensor: (..., 4 C).
    """
    pixels = value.unflatten(-1, (4, -1))[..., [0, 2, 1, 3], :]
    return pixels.transpose(-1, -2).flatten(-2)


def merging_to_published(value: Tensor) -> Tensor:
    """The inverse of :func:`merging_to_mmdet`, (..., 4 C) -> (..., 4 C)."""
    pixels = value.unflatten(-1, (-1, 4)).transpose(-1, -2)
    return pixels[..., [0, 2, 1, 3], :].flatten(-2)


def background_to_end(rows: Tensor, num_anchors: int) -> Tensor:
    """Move the background from the first to the last class of each anchor.

    Args:
        rows (Tensor): (A * (K + 1), ...), the classes of an anchor together.
        num_anchors (int): A, anchors of a cell.

    Returns:
        Tensor: The same shape.
    """
    return rows.unflatten(0, (num_anchors, -1)).roll(-1, dims=1).flatten(0, 1)


def background_to_front(rows: Tensor, num_anchors: int) -> Tensor:
    """The inverse of :func:`background_to_end`."""
    return rows.unflatten(0, (num_anchors, -1)).roll(1, dims=1).flatten(0, 1)


def even_taps(size: int, num_frames: int) -> list[float]:
    """Weights in time that leave a still video as it is.

    Args:
        size (int): Temporal size of the kernel, odd.
        num_frames (int): T. A single frame meets the middle tap only.

    Returns:
        list[float]: ``size`` equal weights of sum 1; for T = 1 all of it is
        on the middle one.
    """
    if num_frames == 1:
        return [float(tap == size // 2) for tap in range(size)]
    return [1 / size] * size


def inflate_kernel(kernel: Tensor, taps: Sequence[float]) -> Tensor:
    """Spread a kernel of images over time.

    Args:
        kernel (Tensor): (O, I, h, w).
        taps (Sequence[float]): Weight of each of the kt times.

    Returns:
        Tensor: (O, I, kt, h, w).
    """
    return torch.stack([kernel * tap for tap in taps], dim=2)


def repeat_box_rows(rows: Tensor, num_anchors: int, num_frames: int) -> Tensor:
    """Let every frame of a clip have the box of the image.

    Args:
        rows (Tensor): (A * 4, ...), weights or biases of the box layer.
        num_anchors (int): A, anchors of a cell.
        num_frames (int): T.

    Returns:
        Tensor: (A * T * 4, ...): anchor by anchor, in it frame by frame.
    """
    boxes = rows.unflatten(0, (num_anchors, 1, 4))
    repeats = [1, num_frames] + [1] * (boxes.dim() - 2)
    return boxes.repeat(*repeats).flatten(0, 2)
