"""Linking of the instances of clips."""

from mmcico.structures.track_state import TrackState

from .clip_tracker import ClipTracker
from .matching import EmbeddingRecall, GreedyMatching, HungarianMatching
from .published_tracker import PublishedClipTracker

__all__ = [
    'ClipTracker',
    'PublishedClipTracker',
    'TrackState',
    'GreedyMatching',
    'HungarianMatching',
    'EmbeddingRecall',
]
