"""Anchors, box coders, assigners and suppression of duplicates."""

from .cell_anchors import CellAnchorGenerator, UnclampedBoxCoder
from .cell_distance_coder import CellDistanceCoder
from .centre_assigner import CentreAssigner
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
