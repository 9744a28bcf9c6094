"""Losses of the clip-level prediction heads (eq. 7, 9 and 10)."""

from collections.abc import Sequence

import torch
from mmdet.models.losses import QualityFocalLoss
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.clip_boxes import box_iou
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs, Positives

from ..losses.over_processes import divisor, shared_number


class HeadLosses(BaseModule):
    """Matches rows with objects and compares them.

    Args:
        num_classes (int): K; the label K means background.
        assigner (dict): Finds the positive anchors of each query frame.
        bbox_coder (dict): Deltas of a box against an anchor.
        loss_cls (dict): Class loss: cross entropy over positives and hard
            negatives (paper), or MMDetection's ``FocalLoss`` (published
            YouTube-VIS models; then weight 5) or ``QualityFocalLoss``, whose
            target is the IoU of the row's boxes, mean over frames.
        loss_bbox (dict, optional): On deltas, summed over the four of a box,
            mean over frames and positives. None: ``loss_iou`` alone.
        loss_track (dict): On embeddings of positives.
        loss_iou (dict, optional): On decoded boxes, e.g. ``DIoULoss``.
        loss_centerness (dict, optional): On one value per anchor, whose
            target is the DIoU of the row's boxes, cut to [0, 1].

    Raises:
        ValueError: If no loss is left to compare boxes.
    """

    def __init__(
        self,
        num_classes: int,
        assigner: ConfigType,
        bbox_coder: ConfigType,
        loss_cls: ConfigType = dict(type='mmcico.HardNegativeCrossEntropy'),
        loss_bbox: OptConfigType = dict(type='SmoothL1Loss'),
        loss_track: ConfigType = dict(type='mmcico.PairTrackLoss', loss_weight=5.0),
        loss_iou: OptConfigType = None,
        loss_centerness: OptConfigType = None,
    ) -> None:
        super().__init__()
        if not loss_bbox and not loss_iou:
            raise ValueError('boxes need loss_bbox, loss_iou or both')
        self.num_classes = num_classes
        self.assigner = TASK_UTILS.build(assigner)
        self.bbox_coder = TASK_UTILS.build(bbox_coder)
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = MODELS.build(loss_bbox) if loss_bbox else None
        self.loss_track = MODELS.build(loss_track)
        self.loss_iou = MODELS.build(loss_iou) if loss_iou else None
        self.loss_centerness = MODELS.build(loss_centerness) if loss_centerness else None

    @property
    def use_sigmoid(self) -> bool:
        """bool: whether classes are independent of each other."""
        return self.loss_cls.use_sigmoid

    @property
    def cls_channels(self) -> int:
        """int: class logits of an anchor."""
        return self.num_classes + (not self.use_sigmoid)

    @property
    def with_centerness(self) -> bool:
        """bool: whether anchors have a centerness."""
        return self.loss_centerness is not None

    def forward(
        self, outputs: ClipOutputs, clips: Sequence[ClipGroundTruth], query_frames: Sequence[int]
    ) -> tuple[dict, Positives]:
        """Losses by name and the positive rows.

        Args:
            outputs (ClipOutputs): Rows of B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.
            query_frames (Sequence[int]): Frame of each of the Q rows.

        Returns:
            tuple[dict, Positives]: ``loss_cls``, ``loss_track`` and, where
            configured, ``loss_bbox``, ``loss_iou`` and ``loss_centerness``;
            each has a graph also without positives.
        """
        labels, gt_index = self.assign(outputs.priors, clips, query_frames)
        where = (gt_index >= 0).nonzero(as_tuple=True)
        positives = Positives(*where, gt=gt_index[where])
        num_pos = divisor(labels.new_tensor(len(positives.gt)))
        cls_target = self._cls_target(outputs, clips, labels, positives)
        losses = dict(loss_cls=self._cls_loss(outputs, labels, cls_target, num_pos))
        losses.update(self._box_losses(outputs, clips, positives, num_pos))
        losses['loss_track'] = self._track_loss(outputs, clips, positives)
        return losses, positives

    @torch.no_grad()
    def assign(
        self, priors: Tensor, clips: Sequence[ClipGroundTruth], query_frames: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Match the anchors of every query frame.

        Args:
            priors (Tensor): (P, 4) xyxy.
            clips (Sequence[ClipGroundTruth]): B ground truths.
            query_frames (Sequence[int]): Frame of each of the Q rows.

        Returns:
            tuple[Tensor, Tensor]: (B, Q, P) labels with K for background and
            -1 for ignored, and (B, Q, P) objects counted through all clips,
            -1 where not positive.
        """
        size = (len(clips), len(query_frames), len(priors))
        labels = priors.new_full(size, self.num_classes, dtype=torch.long)
        gt_index = torch.full_like(labels, -1)
        anchors = InstanceData(priors=priors)
        before = 0
        for b, clip in enumerate(clips):
            for q, frame in enumerate(query_frames):
                result = self.assigner.assign(
                    anchors,
                    clip.instances,
                    InstanceData(bboxes=clip.crowds[frame]),
                    query_frame=frame,
                )
                positive = result.gt_inds > 0
                labels[b, q] = torch.where(positive, result.labels, labels[b, q])
                labels[b, q].masked_fill_(result.gt_inds < 0, -1)
                gt_index[b, q] = torch.where(positive, result.gt_inds - 1 + before, gt_index[b, q])
            before += len(clip.instances)
        return labels, gt_index

    @torch.no_grad()
    def quality(
        self, outputs: ClipOutputs, clips: Sequence[ClipGroundTruth], positives: Positives
    ) -> Tensor:
        """How well the boxes of positive rows fit.

        Args:
            outputs (ClipOutputs): Rows of B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.
            positives (Positives): The rows that stand for objects.

        Returns:
            Tensor: (B, Q, P) IoU, mean over frames; 0 for other rows.
        """
        clip, row, prior, gt = positives
        boxes = torch.cat([c.instances.bboxes for c in clips])[gt]
        pred = outputs.bbox_deltas[clip, row, prior].float()
        iou = box_iou(self.decode(outputs.priors[prior], pred), boxes)
        quality = iou.new_zeros(outputs.cls_scores.shape[:3])
        quality[clip, row, prior] = iou.mean(dim=1)
        return quality

    def _cls_target(
        self,
        outputs: ClipOutputs,
        clips: Sequence[ClipGroundTruth],
        labels: Tensor,
        positives: Positives,
    ) -> Tensor | tuple:
        """Labels in the form that the class loss takes, one for each row."""
        target = labels.clamp(min=0).flatten()
        if isinstance(self.loss_cls, QualityFocalLoss):
            return target, self.quality(outputs, clips, positives).flatten()
        return target

    def _cls_loss(
        self, outputs: ClipOutputs, labels: Tensor, target: Tensor | tuple, num_pos: Tensor
    ) -> Tensor:
        return self.loss_cls(
            outputs.cls_scores.float().flatten(0, 2),
            target,
            weight=(labels >= 0).flatten().float(),
            avg_factor=num_pos,
        )

    def _box_losses(
        self,
        outputs: ClipOutputs,
        clips: Sequence[ClipGroundTruth],
        positives: Positives,
        num_pos: Tensor,
    ) -> dict:
        clip, row, prior, gt = positives
        priors = outputs.priors[prior]
        pred = outputs.bbox_deltas[clip, row, prior].float()
        boxes = torch.cat([c.instances.bboxes for c in clips])[gt]
        count = num_pos * pred.shape[1]
        losses = dict()
        if self.loss_bbox is not None:
            target = self.encode(priors, boxes)
            losses['loss_bbox'] = self.loss_bbox(
                pred.flatten(0, 1), target.flatten(0, 1), avg_factor=count
            )
        if self.loss_iou is None and self.loss_centerness is None:
            return losses
        decoded = self.decode(priors, pred).flatten(0, 1)
        boxes = boxes.flatten(0, 1)
        if self.loss_iou is not None:
            # MMDetection's IoU losses of no boxes have no graph
            losses['loss_iou'] = (
                self.loss_iou(decoded, boxes, avg_factor=count) if len(boxes) else decoded.sum()
            )
        if self.loss_centerness is not None:
            value = outputs.centerness[clip, row, prior].float()
            with torch.no_grad():
                fit = diou(decoded, boxes).view(-1, pred.shape[1]).mean(1)
            losses['loss_centerness'] = self.loss_centerness(
                value, fit.clamp(0, 1), avg_factor=num_pos
            )
        return losses

    def _track_loss(
        self, outputs: ClipOutputs, clips: Sequence[ClipGroundTruth], positives: Positives
    ) -> Tensor:
        clip, row, prior, gt = positives
        embeds = outputs.embeds[clip, row, prior]
        ids = torch.cat([c.instances.instances_id for c in clips])[gt]
        videos = ids.new_tensor([shared_number(c.video_id) for c in clips])[clip]
        return self.loss_track(embeds, ids, videos)

    def encode(self, priors: Tensor, boxes: Tensor) -> Tensor:
        """(N, 4) anchors and (N, T, 4) boxes -> (N, T, 4) deltas."""
        priors = priors[:, None].expand_as(boxes)
        return self.bbox_coder.encode(priors.flatten(0, 1), boxes.flatten(0, 1)).view(boxes.shape)

    def decode(self, priors: Tensor, deltas: Tensor) -> Tensor:
        """(N, 4) anchors and (N, T, 4) deltas -> (N, T, 4) boxes."""
        priors = priors[:, None].expand_as(deltas)
        return self.bbox_coder.decode(priors.flatten(0, 1), deltas.flatten(0, 1)).view(deltas.shape)


def diou(a: Tensor, b: Tensor, eps: float = 1e-7) -> Tensor:
    """IoU minus the squared distance of centres over that of corners.

    Args:
        a (Tensor): (N, 4) xyxy.
        b (Tensor): (N, 4) xyxy.
        eps (float): Keeps the division defined for two points.

    Returns:
        Tensor: (N,) in [-1, 1] (Zheng et al., Distance-IoU loss).
    """
    both = torch.stack([a, b], dim=1)
    low, high = both[..., :2].amin(1), both[..., 2:].amax(1)
    diagonal = (high - low).square().sum(-1) + eps
    gap = (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2
    return box_iou(a, b) - gap.square().sum(-1) / diagonal
