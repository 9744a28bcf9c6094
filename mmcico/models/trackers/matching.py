"""One-to-one assignment of instances to tracks."""

import torch
from mmengine.model import BaseModule
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmcico.registry import TASK_UTILS


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosines of all pairs, never in half precision.

    Args:
        a (Tensor): (N, E) of unit length.
        b (Tensor): (M, E) of unit length.

    Returns:
        Tensor: (N, M) float32.
    """
    # matching scores may differ by less than half precision can tell
    with torch.autocast(a.device.type, enabled=False):
        return a.float() @ b.float().T


@TASK_UTILS.register_module()
class GreedyMatching(BaseModule):
    """The pair with the highest score first, then the next free pair."""

    def forward(self, score: Tensor, min_score: float) -> tuple[Tensor, Tensor]:
        """Match rows with columns.

        Args:
            score (Tensor): (N, M).
            min_score (float): Pairs at or below it are not made.

        Returns:
            tuple[Tensor, Tensor]: Rows and columns of the pairs, long.
        """
        left = score.clone()
        pairs = []
        while left.numel() and left.max() > min_score:
            row, col = divmod(int(left.argmax()), left.shape[1])
            pairs.append((row, col))
            left[row], left[:, col] = -torch.inf, -torch.inf
        pairs = score.new_tensor(pairs, dtype=torch.long).view(-1, 2)
        return pairs[:, 0], pairs[:, 1]


@TASK_UTILS.register_module()
class HungarianMatching(BaseModule):
    """The pairs whose scores above the threshold sum to the most."""

    def forward(self, score: Tensor, min_score: float) -> tuple[Tensor, Tensor]:
        """Match rows with columns, see :class:`GreedyMatching`."""
        gain = (score - min_score).clamp(min=0)
        rows, cols = linear_sum_assignment(gain.cpu().numpy(), maximize=True)
        rows = torch.as_tensor(rows, device=score.device)
        cols = torch.as_tensor(cols, device=score.device)
        keep = score[rows, cols] > min_score
        return rows[keep], cols[keep]
