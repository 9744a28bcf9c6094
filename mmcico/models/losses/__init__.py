"""Losses of masks, classes and embeddings."""

from .clip_seg_loss import ClipDiceLoss, ClipSegLoss
from .hard_negative_cross_entropy import HardNegativeCrossEntropy
from .pair_track_loss import PairTrackLoss

__all__ = ['ClipSegLoss', 'ClipDiceLoss', 'PairTrackLoss', 'HardNegativeCrossEntropy']
