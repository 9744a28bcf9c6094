"""A sheet that shows the prototypes, mask parameters and mask of an instance."""

from dataclasses import dataclass

import cv2
import numpy as np

from .draw import contact_sheet, draw_text_

BACKGROUND = 245
POSITIVE, NEGATIVE = (60, 140, 30), (50, 50, 200)


@dataclass(frozen=True)
class PrototypeView:
    """Content of a sheet: an instance in a frame.

    Attributes:
        frame: (H, W, 3) uint8 BGR with the instance drawn on it.
        prob: (h, w) probability of the mask, 0 to 1.
        protos: (k, h, w) prototypes.
        params: (k',) mask parameters; linear masks have one for each prototype.
    """

    frame: np.ndarray
    prob: np.ndarray
    protos: np.ndarray
    params: np.ndarray


def heat(values: np.ndarray, size: tuple[int, int], low: float, high: float) -> np.ndarray:
    """Return a map (h, w) in colours, of a height and width; ``low`` is the darkest."""
    share = (values - low) / max(high - low, 1e-6)
    grey = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    large = cv2.resize(grey, size[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.applyColorMap(large, cv2.COLORMAP_VIRIDIS)


def bars(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw values as bars up and down from the middle of a picture of a height and width.

    The largest magnitude fills half the height.
    """
    height, width = size
    chart = np.full((height, width, 3), BACKGROUND, np.uint8)
    zero = height // 2
    reach = (zero - 1) / max(float(np.abs(values).max()), 1e-6)
    edges = np.linspace(0, width, len(values) + 1).round().astype(int)
    for value, left, right in zip(values, edges, edges[1:]):
        gap = 1 if right - left > 2 else 0
        end = zero - round(float(value) * reach)
        colour = POSITIVE if value > 0 else NEGATIVE
        chart[min(zero, end) : max(zero, end) + 1, left : right - gap] = colour
    chart[zero] = 0
    return chart


def prototype_tiles(view: PrototypeView, size: tuple[int, int]) -> list[np.ndarray]:
    """Draw a picture for each prototype on one scale, titled with the weight of linear masks."""
    low, high = float(view.protos.min()), float(view.protos.max())
    linear = len(view.params) == len(view.protos)
    tiles = []
    for index, proto in enumerate(view.protos):
        tile = heat(proto, size, low, high)
        weight = f': {view.params[index]:+.2f}' if linear else ''
        draw_text_(tile, f'{index}{weight}', (0, 0))
        tiles.append(tile)
    return tiles


def prototype_sheet(view: PrototypeView, columns: int = 8, width: int = 200) -> np.ndarray:
    """Draw frame, mask, parameters and prototypes as one picture, (H, W, 3) uint8 BGR.

    Prototypes are ``width`` wide, with at least four ``columns`` in a row.
    """
    height = round(width * view.frame.shape[0] / view.frame.shape[1])
    large = (2 * height, 2 * width)
    frame = cv2.resize(view.frame, large[::-1], interpolation=cv2.INTER_AREA)
    mask = heat(view.prob, large, 0.0, 1.0)
    chart = bars(view.params, (2 * height, (columns - 4) * width))
    low, high = view.params.min(), view.params.max()
    for picture, text in (
        (frame, 'frame'),
        (mask, 'mask, 0 to 1'),
        (chart, f'{len(view.params)} mask parameters, {low:+.2f} to {high:+.2f}'),
    ):
        draw_text_(picture, text, (0, 0))
    top = np.hstack([frame, mask, chart])
    tiles = contact_sheet(prototype_tiles(view, (height, width)), columns)
    sheet = np.full(
        (len(top) + len(tiles), max(top.shape[1], tiles.shape[1]), 3), BACKGROUND, np.uint8
    )
    sheet[: len(top), : top.shape[1]] = top
    sheet[len(top) :, : tiles.shape[1]] = tiles
    return sheet
