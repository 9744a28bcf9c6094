"""Masks of clips: ``(N, T, H, W)``, one plane a frame."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .devices import numbers_like


def crop_region(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Return (N, H, W) bool, the pixels of a map in boxes (N, 4), with one more on each side.

    The rule is YOLACT's: coordinates are clamped to the map and truncated, then the region grows by
    one pixel, with an exclusive end.
    """
    return within_edges(crop_edges(boxes, size), (0, 0, size[1], size[0]))


def within_edges(edges: Tensor, window: Sequence[int]) -> Tensor:
    """Return (N, H, W) bool, the pixels of a window of the map between edges (N, 4).

    The window has a left, top, right and bottom.
    """
    left, top, right, bottom = edges.unsqueeze(-1).unbind(dim=1)
    xs = torch.arange(window[0], window[2], device=edges.device)
    ys = torch.arange(window[1], window[3], device=edges.device)
    in_x, in_y = (xs >= left) & (xs < right), (ys >= top) & (ys < bottom)
    return in_y[:, :, None] & in_x[:, None, :]


def crop_edges(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Return left, top, right and bottom (N, 4) of the regions of :func:`crop_region`."""
    low, high, step = numbers_like(
        boxes, [[0, 0, 0, 0], [size[1], size[0], size[1], size[0]], [-1, -1, 1, 1]]
    )
    return (boxes.clamp(low, high).trunc() + step).clamp(low, high)


class FlatMasks(NamedTuple):
    """Masks of clips, frame by frame, to be compared.

    Attributes:
        rows (Tensor): (T, N, H * W) float, 0 or 1.
        areas (Tensor): (T, N) number of pixels.
    """

    rows: Tensor
    areas: Tensor

    @classmethod
    def of(cls, masks: Tensor) -> 'FlatMasks':
        """Return masks (N, T, H, W) bool in this form."""
        rows = masks.flatten(2).transpose(0, 1).float()
        return cls(rows, rows.sum(-1))

    def take(self, index: Tensor) -> 'FlatMasks':
        """Return some of the N masks, by index."""
        return FlatMasks(self.rows[:, index], self.areas[:, index])


def compare_masks(a: FlatMasks, b: FlatMasks) -> tuple[Tensor, Tensor]:
    """Compare all pairs of N and M masks, frame by frame.

    Returns:
        tuple[Tensor, Tensor]: The IoU (T, N, M), 0 for two empty masks, and the number (T, N, M) of
        pixels of the smaller mask.
    """
    # pixel counts do not fit into half precision
    with torch.autocast(a.rows.device.type, enabled=False):
        inter = a.rows @ b.rows.transpose(1, 2)
    left, right = a.areas[:, :, None], b.areas[:, None, :]
    return inter / (left + right - inter).clamp(min=1), torch.minimum(left, right)


def pairwise_mask_iou(a: Tensor, b: Tensor) -> Tensor:
    """Compute the IoU (T, N, M) of all pairs of masks (N or M, T, H, W) bool, frame by frame.

    It is 0 for two empty masks.
    """
    return compare_masks(FlatMasks.of(a), FlatMasks.of(b))[0]


def mean_over(values: Tensor, chosen: Tensor) -> Tensor:
    """Compute the mean (...) of chosen entries of (T, ...) over the first axis, 0 without any."""
    count = chosen.sum(dim=0).clamp(min=1)
    return (values * chosen).sum(dim=0) / count


def mean_mask_iou(
    a: FlatMasks, b: FlatMasks, min_pixels: int, compared: Tensor | None = None
) -> Tensor:
    """Compute the IoU (N, M) of all pairs, a mean over the frames in which both masks are seen.

    These have more than ``min_pixels`` pixels. ``compared``, bool and broadcast to (T, N, M), says
    which frames count at all. The IoU is 0 if none do.
    """
    iou, smaller = compare_masks(a, b)
    seen = smaller > min_pixels
    return mean_over(iou, seen if compared is None else seen & compared)


def mask_stability(probs: Tensor, margin: float) -> Tensor:
    """Compute how little masks depend on the threshold that cuts them.

    The masks at the thresholds ``0.5 + margin`` and ``0.5 - margin`` are compared over all frames.
    The smaller one lies in the larger one, so that their IoU is the ratio of their sizes.

    Args:
        probs (Tensor): (N, T, H, W) probabilities.
        margin (float): Distance of both thresholds from 0.5.

    Returns:
        Tensor: (N,) float, 1 for a mask with a sharp edge. A mask without a pixel above the higher
        threshold counts as half a pixel, so that the result is never 0.
    """
    high = (probs > 0.5 + margin).flatten(1).sum(dim=1).float()
    low = (probs > 0.5 - margin).flatten(1).sum(dim=1)
    return high.clamp(min=0.5) / low.clamp(min=1)


def to_original(
    probs: Tensor,
    pad_shape: Sequence[int],
    img_shape: Sequence[int],
    ori_shape: Sequence[int],
    crop_first: bool = False,
) -> Tensor:
    """Enlarge masks from the map to the size of the video.

    By default, the padded map is enlarged by the exact factor and the padding is cropped. The
    published models crop the padding from the map, to whole map pixels, and enlarge the rest.

    Args:
        probs (Tensor): (N, h, w) probabilities over the padded input.
        pad_shape (tuple[int, int]): Height and width of the padded input.
        img_shape (tuple[int, int]): Height and width of the part that shows the frame.
        ori_shape (tuple[int, int]): Height and width of the frame as it was read.
        crop_first (bool): Crop before enlarging, as the published models do.

    Returns:
        Tensor: (N, H, W) bool at ``ori_shape``.
    """
    options: dict[str, Any]
    if crop_first:
        height, width = (
            max(own * img // pad, 1)
            for own, pad, img in zip(probs.shape[-2:], pad_shape, img_shape)
        )
        probs, options = probs[:, :height, :width], {'size': tuple(ori_shape)}
    else:
        # slightly more than the exact factor: rounding must not remove the last row or column
        factor = [
            (1 + 1e-9) * pad * ori / (img * own)
            for own, pad, img, ori in zip(probs.shape[-2:], pad_shape, img_shape, ori_shape)
        ]
        options = {'scale_factor': factor}
    full = F.interpolate(probs[:, None], mode='bilinear', align_corners=False, **options)
    return full[:, 0, : ori_shape[0], : ori_shape[1]] > 0.5
