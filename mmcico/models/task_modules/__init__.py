"""Anchors, box coders, assigners and suppression of duplicates."""

from .cell_anchors import CellAnchorGenerator
from .cell_distance_coder import CellDistanceCoder
from .centre_assigner import CentreAssigner
from .circumscribed_assigner import CircumscribedAssigner
from .clip_nms import ClipNMS
from .published_nms import PublishedClipNMS

__all__ = [
    'CellAnchorGenerator',
    'CellDistanceCoder',
    'CentreAssigner',
    'CircumscribedAssigner',
    'ClipNMS',
    'PublishedClipNMS',
]
