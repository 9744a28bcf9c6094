"""Changes of parameter values between layouts."""

from collections.abc import Sequence

import torch
from torch import Tensor

#: temporal weights of the prototypes' kernels, which lean on the frame itself
PROTO_TAPS = (0.125, 0.75, 0.125)


def merging_to_mmdet(value: Tensor) -> Tensor:
    """Reorder the inputs (..., 4 C) of Swin's patch merging as MMDetection orders them.

    They are the channels of four neighbouring pixels. The original code orders them pixel by pixel,
    with (row, column) (0, 0), (1, 0), (0, 1), (1, 1). MMDetection orders them channel by channel,
    with (0, 0), (0, 1), (1, 0), (1, 1) in each.
    """
    pixels = value.unflatten(-1, (4, -1))[..., [0, 2, 1, 3], :]
    return pixels.transpose(-1, -2).flatten(-2)


def merging_to_published(value: Tensor) -> Tensor:
    """Invert :func:`merging_to_mmdet`."""
    pixels = value.unflatten(-1, (-1, 4)).transpose(-1, -2)
    return pixels[..., [0, 2, 1, 3], :].flatten(-2)


def background_to_end(rows: Tensor, num_anchors: int) -> Tensor:
    """Move the background of each anchor in (A * (K + 1), ...) rows from first to last class."""
    return rows.unflatten(0, (num_anchors, -1)).roll(-1, dims=1).flatten(0, 1)


def background_to_front(rows: Tensor, num_anchors: int) -> Tensor:
    """Invert :func:`background_to_end`."""
    return rows.unflatten(0, (num_anchors, -1)).roll(1, dims=1).flatten(0, 1)


def even_taps(size: int, num_frames: int) -> list[float]:
    """Return ``size`` temporal weights of sum 1 that leave the response to a still video unchanged.

    They are equal, but with T = 1 only the middle tap, which alone meets a frame, is not 0.
    """
    if num_frames == 1:
        return [float(tap == size // 2) for tap in range(size)]
    return [1 / size] * size


def inflate_kernel(kernel: Tensor, taps: Sequence[float]) -> Tensor:
    """Spread a 2D kernel over time by kt temporal weights, (O, I, h, w) -> (O, I, kt, h, w)."""
    return torch.stack([kernel * tap for tap in taps], dim=2)


def repeat_box_rows(rows: Tensor, num_anchors: int, num_frames: int) -> Tensor:
    """Repeat the box of an image for every frame of a clip, (A * 4, ...) -> (A * T * 4, ...).

    The rows are weights or biases of the box layer; the frames of an anchor are side by side.
    """
    boxes = rows.unflatten(0, (num_anchors, 1, 4))
    repeats = [1, num_frames] + [1] * (boxes.dim() - 2)
    return boxes.repeat(*repeats).flatten(0, 2)
