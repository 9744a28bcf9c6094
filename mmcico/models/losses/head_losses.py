"""Losses of the prediction heads (eq. 7, 9 and 10)."""

import inspect
from collections.abc import Callable
from functools import singledispatch
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmdet.models.losses import QualityFocalLoss
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcico.registry import MODELS, class_of
from mmcico.structures.clip_boxes import box_iou
from mmcico.structures.devices import numbers_like

from ..interfaces import build_part
from .over_processes import divisor, gather_rows, hardest, of_own_rows, total

#: the paper's class loss
CLASS_LOSS = dict(type='mmcico.HardNegativeCrossEntropy')


class ComparedTensors(NamedTuple):
    """Tensors that the losses compare, for R predictions of a batch, N of them positive.

    Attributes:
        logits (Tensor): (R, K) class logits; K + 1 with softmax, background last.
        labels (Tensor): (R,) classes, K for background, -1 for predictions to be ignored.
        positive (Tensor): (N,) indices of the positive predictions.
        deltas (Tensor): (N, T, 4) predicted box deltas.
        target_deltas (Tensor): (N, T, 4) deltas of the objects' boxes.
        boxes (Tensor): (N, T, 4) decoded boxes, xyxy.
        target_boxes (Tensor): (N, T, 4) boxes of the objects, xyxy.
        embeds (Tensor): (N, E) of unit length.
        ids (Tensor): (N,) identities, unique within a video.
        videos (Tensor): (N,) videos.
        centerness (Tensor, optional): (N,) logits.
    """

    logits: Tensor
    labels: Tensor
    positive: Tensor
    deltas: Tensor
    target_deltas: Tensor
    boxes: Tensor
    target_boxes: Tensor
    embeds: Tensor
    ids: Tensor
    videos: Tensor
    centerness: Tensor | None = None


@singledispatch
def class_target(
    loss: nn.Module, labels: Tensor, quality: Callable[[], Tensor]
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the target in the form that a class loss takes.

    Register another form for a loss of your own by ``@class_target.register``.

    Args:
        loss (nn.Module): The class loss; its type decides.
        labels (Tensor): (R,) classes.
        quality (Callable): Returns (R,) IoUs of the predicted boxes, 0 for negatives.

    Returns:
        Tensor | tuple[Tensor, Tensor]: The labels, or labels and qualities.
    """
    return labels


@class_target.register
def _labels_and_quality(
    loss: QualityFocalLoss, labels: Tensor, quality: Callable[[], Tensor]
) -> tuple[Tensor, Tensor]:
    return labels, quality()


def uses_sigmoid(loss_cls: ConfigType) -> bool:
    """Return whether a class loss treats classes as independent, from its config alone."""
    if 'use_sigmoid' in loss_cls:
        return bool(loss_cls['use_sigmoid'])
    kind = class_of(MODELS, loss_cls['type'])
    own = inspect.signature(kind).parameters.get('use_sigmoid')
    return bool(getattr(kind, 'use_sigmoid', False) if own is None else own.default)


class HeadLosses(BaseModule):
    """Compares predictions with their targets.

    Args:
        loss_cls (dict): Class loss: cross entropy over positives and hard negatives (paper), or
            MMDetection's ``FocalLoss`` (published YouTube-VIS models; then weight 5) or
            ``QualityFocalLoss``, whose target is the IoU of the predicted boxes, mean over frames.
        loss_bbox (dict, optional): Loss of deltas, summed over the four of a box, mean over
            frames and positives. None: ``loss_iou`` alone.
        loss_track (dict): Loss of the embeddings of positives.
        loss_iou (dict, optional): Loss of decoded boxes, e.g. ``DIoULoss``.
        loss_centerness (dict, optional): Loss of one value per anchor, whose target is the DIoU
            of the predicted boxes, clamped to [0, 1].

    Raises:
        ValueError: If no loss is left to compare boxes.
    """

    def __init__(
        self,
        loss_cls: ConfigType = CLASS_LOSS,
        loss_bbox: OptConfigType = dict(type='SmoothL1Loss'),
        loss_track: ConfigType = dict(type='mmcico.PairTrackLoss', loss_weight=5.0),
        loss_iou: OptConfigType = None,
        loss_centerness: OptConfigType = None,
    ) -> None:
        super().__init__()
        if not loss_bbox and not loss_iou:
            raise ValueError('boxes need loss_bbox, loss_iou or both')
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = MODELS.build(loss_bbox) if loss_bbox else None
        place = 'bbox_head.losses.loss_track'
        self.loss_track = build_part(MODELS, loss_track, place, forward=('embeds', 'ids', 'videos'))
        self.loss_iou = MODELS.build(loss_iou) if loss_iou else None
        self.loss_centerness = MODELS.build(loss_centerness) if loss_centerness else None

    def forward(self, compared: ComparedTensors) -> dict[str, Tensor]:
        """Compute the losses of a batch.

        Args:
            compared (ComparedTensors): Predictions and targets.

        Returns:
            dict[str, Tensor]: ``loss_cls``, ``loss_track`` and, if configured, ``loss_bbox``,
            ``loss_iou`` and ``loss_centerness``. Each has a graph also without positives.
        """
        labels = compared.labels
        num_pos = divisor(numbers_like(labels, len(compared.positive)))
        losses = dict(
            loss_cls=self.loss_cls(
                compared.logits,
                class_target(self.loss_cls, labels.clamp(min=0), lambda: quality(compared)),
                weight=(labels >= 0).float(),
                avg_factor=num_pos,
            )
        )
        losses.update(self._box_losses(compared, num_pos))
        losses['loss_track'] = self.loss_track(compared.embeds, compared.ids, compared.videos)
        return losses

    def _box_losses(self, compared: ComparedTensors, num_pos: Tensor) -> dict[str, Tensor]:
        num_frames = compared.deltas.shape[1]
        count = num_pos * num_frames
        boxes, targets = compared.boxes.flatten(0, 1), compared.target_boxes.flatten(0, 1)
        losses = dict()
        if self.loss_bbox is not None:
            losses['loss_bbox'] = self.loss_bbox(
                compared.deltas.flatten(0, 1),
                compared.target_deltas.flatten(0, 1),
                avg_factor=count,
            )
        if self.loss_iou is not None:
            # MMDetection's IoU losses of no boxes have no graph
            losses['loss_iou'] = (
                self.loss_iou(boxes, targets, avg_factor=count) if len(boxes) else boxes.sum()
            )
        if self.loss_centerness is not None:
            target = diou(boxes.detach(), targets).view(-1, num_frames).mean(1)
            losses['loss_centerness'] = self.loss_centerness(
                compared.centerness, target.clamp(0, 1), avg_factor=num_pos
            )
        return losses


@torch.no_grad()
def quality(compared: ComparedTensors) -> Tensor:
    """Return (R,) IoUs of predicted boxes, mean over frames; 0 for negatives."""
    iou = box_iou(compared.boxes, compared.target_boxes).mean(dim=1)
    return iou.new_zeros(len(compared.labels)).index_copy(0, compared.positive, iou)


def diou(a: Tensor, b: Tensor, eps: float = 1e-7) -> Tensor:
    """Compute the IoU minus the squared distance of centres over that of corners.

    Boxes are (N, 4) xyxy; the result is (N,) in [-1, 1] (Zheng et al., Distance-IoU loss). ``eps``
    keeps the division defined for two points.
    """
    both = torch.stack([a, b], dim=1)
    low, high = both[..., :2].amin(1), both[..., 2:].amax(1)
    diagonal = (high - low).square().sum(-1) + eps
    gap = (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2
    return box_iou(a, b) - gap.square().sum(-1) / diagonal


@MODELS.register_module()
class HardNegativeCrossEntropy(BaseModule):
    """Softmax cross entropy over positives and the hardest negatives (eq. 7).

    The 3 : 1 mining is that of SSD: of the background predictions, those with the highest losses
    count, three for each positive; the mean is over all predictions that count.

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
            pred (Tensor): (R, K + 1) logits, background last.
            target (Tensor): (R,) classes, K for background.
            weight (Tensor): (R,) 0 for predictions to be ignored.
            avg_factor (Tensor): Not used, because the mean is over the predictions that count;
                accepted so that MMDetection's losses can be used instead.

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
        return self.loss_weight * counted.sum() / divisor(numbers_like(loss, len(counted)))


def pair_loss(embeds: Tensor, ids: Tensor, eps: float = 1e-6) -> Tensor:
    """Compute the mean of eq. 9 over all pairs of embeddings (N, E) of unit length with ids (N,).

    With ``d = (cos + 1) / 2``, it is that of ``-log d`` for pairs of one identity and ``-log(1 -
    d)`` for others; ``eps`` keeps logarithms finite.
    """
    similar = ((embeds @ embeds.T + 1) / 2).clamp(eps, 1 - eps)
    same = ids[:, None] == ids[None]
    return -torch.where(same, similar, 1 - similar).log().mean()


@MODELS.register_module()
class PairTrackLoss(BaseModule):
    """Pulls embeddings of an object together and pushes others apart (eq. 9).

    All pairs of positives of a video count, from all of its clips in the batch and in all
    processes; the mean is over pairs and then over videos.

    Args:
        loss_weight (float): Weight of the loss.
    """

    def __init__(self, loss_weight: float = 5.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, embeds: Tensor, ids: Tensor, videos: Tensor) -> Tensor:
        """Compare embeddings.

        Args:
            embeds (Tensor): (N, E) of unit length.
            ids (Tensor): (N,) identities, unique within a video.
            videos (Tensor): (N,) videos.

        Returns:
            Tensor: Scalar; 0 with a graph without positives.
        """
        nothing = embeds.sum() * 0
        embeds, ids, videos = gather_rows(embeds), gather_rows(ids), gather_rows(videos)
        groups = [videos == video for video in videos.unique()]
        if not groups:
            return nothing
        # near 0 and 1 half precision cannot tell d from its limits
        with torch.autocast(embeds.device.type, enabled=False):
            losses = [pair_loss(embeds[mine].float(), ids[mine]) for mine in groups]
        return nothing + self.loss_weight * of_own_rows(torch.stack(losses).mean())
