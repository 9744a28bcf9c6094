"""Anchors, box coders, assigners and suppression of duplicates."""

from .cell_anchors import CellAnchorGenerator, UnclampedBoxCoder
from .centre_assigner import CellDistanceCoder, CentreAssigner
from .circumscribed_assigner import CircumscribedAssigner, MatchResult, QueryFrameAssigner
from .clip_nms import ClipNMS, PublishedClipNMS

__all__ = [
    'CellAnchorGenerator',
    'CellDistanceCoder',
    'CentreAssigner',
    'CircumscribedAssigner',
    'ClipNMS',
    'MatchResult',
    'PublishedClipNMS',
    'QueryFrameAssigner',
    'UnclampedBoxCoder',
]
