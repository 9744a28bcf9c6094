"""The networks and everything that they are built from."""

import mmcico.compat  # noqa: F401

import mmdet.models  # noqa: F401  bare types of configs live there

from .data_preprocessors import ClipDataPreprocessor
from .heads import CiCoHead, ClipMaskHead
from .layers import (
    BilinearUpsample,
    DeconvUpsample,
    DynamicMask,
    GaussianPlane,
    LinearMask,
    OffsetPlanes,
)
from .losses import ClipDiceLoss, ClipSegLoss, HardNegativeCrossEntropy, PairTrackLoss
from .necks import YolactFPN
from .task_modules import (
    CellAnchorGenerator,
    CellDistanceCoder,
    CentreAssigner,
    CircumscribedAssigner,
    ClipNMS,
    PublishedClipNMS,
    UnclampedBoxCoder,
)
from .trackers import (
    ClipTracker,
    EmbeddingRecall,
    EvidenceTracker,
    GreedyMatching,
    HungarianMatching,
    PairEvidence,
    PublishedClipTracker,
    TrackState,
)
from .vis import CiCo

__all__ = [
    'CiCo',
    'CiCoHead',
    'ClipMaskHead',
    'CircumscribedAssigner',
    'ClipNMS',
    'ClipSegLoss',
    'ClipDiceLoss',
    'PairTrackLoss',
    'HardNegativeCrossEntropy',
    'ClipTracker',
    'EmbeddingRecall',
    'EvidenceTracker',
    'PairEvidence',
    'TrackState',
    'GreedyMatching',
    'HungarianMatching',
    'YolactFPN',
    'LinearMask',
    'DynamicMask',
    'OffsetPlanes',
    'GaussianPlane',
    'DeconvUpsample',
    'BilinearUpsample',
    'CellAnchorGenerator',
    'PublishedClipNMS',
    'UnclampedBoxCoder',
    'PublishedClipTracker',
    'ClipDataPreprocessor',
    'CellDistanceCoder',
    'CentreAssigner',
]
