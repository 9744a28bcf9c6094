"""Class loss of the paper: cross entropy with hard negatives (eq. 7)."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmcico.registry import MODELS

from .over_processes import divisor, hardest, total


@MODELS.register_module()
class HardNegativeCrossEntropy(BaseModule):
    """Softmax cross entropy over positives and the hardest negatives.

    Eq. 7 with the 3 : 1 mining of SSD: of the background rows those count
    whose loss is highest, three for each positive; the mean is over all rows
    that count.

    Args:
        neg_pos_ratio (float): Negatives for each positive.
        min_negatives (int): Negatives of a batch without any positive.
        loss_weight (float): Weight of the loss.
    """

    use_sigmoid = False

    def __init__(
        self, neg_pos_ratio: float = 3.0, min_negatives: int = 100, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.neg_pos_ratio = neg_pos_ratio
        self.min_negatives = min_negatives
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor, avg_factor: Tensor) -> Tensor:
        """Compare classes.

        Args:
            pred (Tensor): (N, K + 1) logits, background last.
            target (Tensor): (N,) classes, K for background.
            weight (Tensor): (N,) 0 for rows to be left out.
            avg_factor (Tensor): Not used: the mean is over the rows that
                count. There to be exchangeable with MMDetection's losses.

        Returns:
            Tensor: Scalar.
        """
        loss = F.cross_entropy(pred, target, reduction='none')
        background = target == pred.shape[1] - 1
        used = weight > 0
        positive = used & ~background
        num_pos = int(total(positive.sum()))
        limit = round(self.neg_pos_ratio * num_pos) if num_pos else self.min_negatives
        counted = torch.cat([loss[positive], hardest(loss[used & background], limit)])
        return self.loss_weight * counted.sum() / divisor(loss.new_tensor(len(counted)))
