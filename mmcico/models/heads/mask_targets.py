"""Targets of the mask head."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def at_map_size(masks: Tensor, size: Sequence[int]) -> Tensor:
    """Share of each map pixel that an object covers.

    Args:
        masks (Tensor): (G, T, H, W) uint8 or bool at input size.
        size (Sequence[int]): Height and width (h, w) of the map.

    Returns:
        Tensor: (G, T, h, w) float in [0, 1].
    """
    if masks.numel() == 0:
        return masks.new_zeros((*masks.shape[:2], *size), dtype=torch.float)
    return F.adaptive_avg_pool2d(masks.float(), tuple(size))


def sample_positives(clip_index: Tensor, limit: int) -> Tensor:
    """A random choice of at most ``limit`` rows of each clip.

    Args:
        clip_index (Tensor): (N,) clip of each row.
        limit (int): Rows of a clip to keep.

    Returns:
        Tensor: Sorted indices of the rows kept, all if there are few enough.
    """
    order = torch.arange(len(clip_index), device=clip_index.device)
    kept = []
    for index in clip_index.unique():
        mine = order[clip_index == index]
        if len(mine) > limit:
            pick = torch.randperm(len(mine), device=mine.device)[:limit]
            mine = mine[pick.sort().values]
        kept.append(mine)
    return torch.cat(kept) if kept else order
