"""One-to-one assignment of instances to tracks, and recall of lost tracks."""

import numpy as np
import torch
from mmdet.utils import ConfigType
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.devices import numbers_like


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Compute the cosines (N, M) of all pairs of unit vectors (N, E) and (M, E), in float32."""
    # matching scores may differ by less than half precision can tell
    with torch.autocast(a.device.type, enabled=False):
        return a.float() @ b.float().T


def check_memory(memory: int, momentum: float) -> None:
    """Check for how long a tracker keeps tracks, and how slowly their embeddings change.

    Raises:
        ValueError: If a value is out of its range.
    """
    if memory < 1:
        raise ValueError(f'memory must be at least 1 clip, got {memory}')
    if not 0 <= momentum < 1:
        raise ValueError(f'momentum must be at least 0 and below 1, got {momentum}')


@TASK_UTILS.register_module()
class GreedyMatching(BaseModule):
    """Takes the pair with the highest score first, then the next free pair."""

    def forward(self, score: Tensor, min_score: float) -> tuple[Tensor, Tensor]:
        """Match rows with columns.

        Args:
            score (Tensor): (N, M).
            min_score (float): Pairs must have a higher score.

        Returns:
            tuple[Tensor, Tensor]: Rows and columns of the pairs, long.
        """
        left = score.detach().cpu().numpy().copy()
        pairs = []
        while left.size and left.max() > min_score:
            row, col = divmod(int(left.argmax()), left.shape[1])
            pairs.append((row, col))
            left[row], left[:, col] = -torch.inf, -torch.inf
        found = numbers_like(score, pairs, torch.long).view(-1, 2)
        return found[:, 0], found[:, 1]


@TASK_UTILS.register_module()
class HungarianMatching(BaseModule):
    """Takes the pairs whose excess over the threshold has the largest sum."""

    def forward(self, score: Tensor, min_score: float) -> tuple[Tensor, Tensor]:
        """Match rows with columns; see :class:`GreedyMatching`."""
        gain = (score - min_score).clamp(min=0).cpu().numpy()
        pairs = np.stack(linear_sum_assignment(gain, maximize=True))
        rows, cols = numbers_like(score, pairs[:, gain[tuple(pairs)] > 0], torch.long)
        return rows, cols


@TASK_UTILS.register_module()
class EmbeddingRecall(BaseModule):
    """Second stage of :class:`ClipTracker`, for instances without a track.

    An instance takes the id of a lost track if the cosine of their embeddings, plus a bonus for the
    same class, is high enough.

    Args:
        min_similarity (float): Pairs must be more similar.
        label_weight (float): Added for the same class.
        matching (dict): :class:`GreedyMatching` or :class:`HungarianMatching`.
    """

    def __init__(
        self,
        min_similarity: float = 0.5,
        label_weight: float = 0.0,
        matching: ConfigType = dict(type='mmcico.GreedyMatching'),
    ) -> None:
        super().__init__()
        self.min_similarity = min_similarity
        self.label_weight = label_weight
        self.matching = TASK_UTILS.build(matching)

    def forward(self, clip: InstanceData, lost: InstanceData) -> tuple[Tensor, Tensor]:
        """Find lost tracks again.

        Args:
            clip (InstanceData): N instances without a track: ``embeds`` (N, E) of unit length,
                ``labels`` (N,).
            lost (InstanceData): M tracks with the same fields.

        Returns:
            tuple[Tensor, Tensor]: Rows and columns of the pairs, long.
        """
        same = clip.labels[:, None] == lost.labels[None]
        score = cosine(clip.embeds, lost.embeds) + self.label_weight * same
        return self.matching(score, self.min_similarity)
