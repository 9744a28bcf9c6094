"""Losses of masks, classes, boxes and embeddings."""

from .clip_seg_loss import ClipDiceLoss, ClipSegLoss
from .head_losses import HardNegativeCrossEntropy, HeadLosses, PairTrackLoss, class_target

__all__ = [
    'ClipSegLoss',
    'ClipDiceLoss',
    'HardNegativeCrossEntropy',
    'HeadLosses',
    'PairTrackLoss',
    'class_target',
]
