"""Windows of feature maps, which are computed instead of whole maps."""

from collections.abc import Iterable, Sequence

from torch import Tensor

#: first and end row, first and end column of a map
Window = tuple[int, int, int, int]
#: windows of each level, None for all of the maps
LevelWindows = Sequence[Sequence[Window]] | None
#: cells beyond a window that a tower computes, on average over its layers
HALO = 4
#: cells that take as long as it takes to read the weights of a layer
OVERHEAD = 64
#: share of a map from which the whole map is computed at once
DENSE_SHARE = 0.9


def widen(window: Window, margin: int, size: Sequence[int]) -> Window:
    """Return a window with a margin on all sides, clipped to the size of the map."""
    top, bottom, left, right = window
    return (
        max(top - margin, 0),
        min(bottom + margin, size[0]),
        max(left - margin, 0),
        min(right + margin, size[1]),
    )


def doubled(window: Window) -> Window:
    """Return the same window of a map of twice the size."""
    top, bottom, left, right = window
    return 2 * top, 2 * bottom, 2 * left, 2 * right


def crop(x: Tensor, place: Window, window: Window) -> Tensor:
    """Return the part (..., h', w') of a window from values (..., h, w) that are at a place."""
    top, bottom, left, right = window
    return x[..., top - place[0] : bottom - place[0], left - place[2] : right - place[2]]


def work(window: Window, size: Sequence[int]) -> int:
    """Return the number of cells that take as long as a window."""
    top, bottom, left, right = widen(window, HALO, size)
    return (bottom - top) * (right - left) + OVERHEAD


def worthwhile(windows: Iterable[Window], size: Sequence[int]) -> bool:
    """Return whether windows take less time than the whole map."""
    return sum(work(each, size) for each in windows) < DENSE_SHARE * size[0] * size[1]


def merge_windows(windows: Iterable[Window], size: Sequence[int]) -> list[Window]:
    """Replace windows of a map by fewer ones that cover them, while less is left to compute."""
    merged: list[Window] = []
    for window in sorted(set(windows)):
        while True:
            for other in merged:
                both = (
                    min(window[0], other[0]),
                    max(window[1], other[1]),
                    min(window[2], other[2]),
                    max(window[3], other[3]),
                )
                if work(both, size) <= work(window, size) + work(other, size):
                    merged.remove(other)
                    window = both
                    break
            else:
                break
        merged.append(window)
    return merged
