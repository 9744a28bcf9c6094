"""Parts of feature maps that hold candidates."""

from collections.abc import Sequence

from torch import Tensor

#: first and end row, first and end column of a map
Window = tuple[int, int, int, int]


def bounds(chosen: Tensor) -> tuple[int, int]:
    """First and end index of the entries of (n,) bool that are set."""
    where = chosen.nonzero()
    if len(where) == 0:
        return 0, 0
    return int(where[0]), int(where[-1]) + 1


def level_windows(
    chosen: Tensor, sizes: Sequence[tuple[int, int]], num_anchors: int
) -> list[Window]:
    """The smallest window of each level that holds all chosen rows.

    Args:
        chosen (Tensor): (B, Q, P) bool, rows in the order of
            :class:`ClipOutputs`.
        sizes (Sequence[tuple[int, int]]): Height and width of each level.
        num_anchors (int): Anchors of a cell.

    Returns:
        list[Window]: Of each level, (0, 0, 0, 0) where nothing is chosen.
    """
    counts = [height * width * num_anchors for height, width in sizes]
    windows = []
    for level, size in zip(chosen.split(counts, dim=-1), sizes):
        cells = level.unflatten(-1, (*size, num_anchors))
        cells = cells.flatten(0, 1).any(dim=0).any(dim=-1)
        windows.append((*bounds(cells.any(dim=1)), *bounds(cells.any(dim=0))))
    return windows


def widen(window: Window, margin: int, size: Sequence[int]) -> Window:
    """A window with a margin on all sides, cut to the map's size."""
    top, bottom, left, right = window
    return (
        max(top - margin, 0),
        min(bottom + margin, size[0]),
        max(left - margin, 0),
        min(right + margin, size[1]),
    )


def paste(part: Tensor, inner: Window, outer: Window, size: Sequence[int]) -> Tensor:
    """Put what was computed on a wider window onto a map of zeros.

    Args:
        part (Tensor): (N, C, h', w') on the outer window.
        inner (Window): Where its values are right.
        outer (Window): Where it lies.
        size (Sequence[int]): Height and width of the map.

    Returns:
        Tensor: (N, C, h, w).
    """
    top, bottom, left, right = inner
    if (top, bottom, left, right) == (0, size[0], 0, size[1]):
        return part
    out = part.new_zeros((*part.shape[:2], *size))
    out[..., top:bottom, left:right] = part[
        ..., top - outer[0] : bottom - outer[0], left - outer[2] : right - outer[2]
    ]
    return out


def whole(windows: Sequence[Window], sizes: Sequence[tuple[int, int]]) -> list[Window]:
    """Windows that hold anything, enlarged to all of their maps."""
    return [
        (0, size[0], 0, size[1]) if window[1] > window[0] else window
        for window, size in zip(windows, sizes)
    ]
