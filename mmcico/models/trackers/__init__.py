"""Linking of the instances of clips."""

from mmcico.structures.track_state import TrackState

from .clip_tracker import ClipTracker
from .evidence_tracker import EvidenceTracker
from .matching import EmbeddingRecall, GreedyMatching, HungarianMatching, PairEvidence
from .published_tracker import PublishedClipTracker

__all__ = [
    'ClipTracker',
    'EvidenceTracker',
    'PublishedClipTracker',
    'TrackState',
    'GreedyMatching',
    'HungarianMatching',
    'EmbeddingRecall',
    'PairEvidence',
]
