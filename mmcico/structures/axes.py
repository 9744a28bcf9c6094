"""Conversion between frames in the batch axis and clips; nothing else folds time."""

from torch import Tensor


def frames_to_clip(x: Tensor, num_frames: int) -> Tensor:
    """Stack frames in time.

    Args:
        x (Tensor): (B * T, C, H, W), the frames of a clip next to each other.
        num_frames (int): T.

    Returns:
        Tensor: (B, C, T, H, W), a view if possible.
    """
    return x.unflatten(0, (-1, num_frames)).transpose(1, 2)


def clip_to_frames(x: Tensor) -> Tensor:
    """Put the frames of clips into the batch axis.

    Args:
        x (Tensor): (B, C, T, H, W).

    Returns:
        Tensor: (B * T, C, H, W).
    """
    return x.transpose(1, 2).flatten(0, 1)
