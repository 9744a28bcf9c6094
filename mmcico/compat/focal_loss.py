"""Sigmoid focal loss in PyTorch, called as mmcv calls its operators.

Signatures: ``mmcv/ops/focal_loss.py`` of mmcv 2.1.0 and onedl-mmcv 2.3.6,
which hand in the tensor for the result.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ['sigmoid_focal_loss_forward', 'sigmoid_focal_loss_backward']


def _one_hot(target: Tensor, num_classes: int) -> Tensor:
    """(N,) labels -> (N, K) bool; background (-1 or K) is an empty row."""
    return target[:, None] == torch.arange(num_classes, device=target.device)


def _row_weight(weight: Tensor, target: Tensor) -> Tensor:
    """(N, 1) weight of each row's class, 1 for background."""
    return F.pad(weight, (0, 1), value=1.0)[target][:, None]


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Focal loss of each score (Lin et al., ICCV 2017, eq. 5).

    Args:
        input (Tensor): (N, K) logits.
        target (Tensor): (N,) long, label K is background.
        weight (Tensor): (K,) of the classes, or empty.
        output (Tensor): (N, K), receives the loss.
        gamma (float): exponent of the modulating factor.
        alpha (float): weight of the positive scores.
    """
    prob = input.sigmoid()
    positive = -alpha * (1 - prob) ** gamma * F.logsigmoid(input)
    negative = -(1 - alpha) * prob**gamma * F.logsigmoid(-input)
    loss = positive.where(_one_hot(target, input.size(1)), negative)
    if weight.numel():
        loss = loss * _row_weight(weight, target)
    output.copy_(loss)


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Derivative of the loss by each logit; arguments as in the forward.

    Args:
        input (Tensor): (N, K) logits.
        target (Tensor): (N,) long, label K is background.
        weight (Tensor): (K,) of the classes, or empty.
        grad_input (Tensor): (N, K), receives the derivative.
        gamma (float): exponent of the modulating factor.
        alpha (float): weight of the positive scores.
    """
    prob = input.sigmoid()
    positive = -alpha * (1 - prob) ** gamma * (1 - prob - gamma * prob * F.logsigmoid(input))
    negative = (1 - alpha) * prob**gamma * (prob - gamma * (1 - prob) * F.logsigmoid(-input))
    grad = positive.where(_one_hot(target, input.size(1)), negative)
    if weight.numel():
        grad = grad * _row_weight(weight, target)
    grad_input.copy_(grad)
