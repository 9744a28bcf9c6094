"""Transforms of clips."""

from .clip_sampling import ClipFrameSample
from .formatting import LandscapeResize, PackClipInputs
from .loading import LoadClipAnnotations, LoadClipArray, LoadClipFrame

__all__ = [
    'ClipFrameSample',
    'PackClipInputs',
    'LoadClipAnnotations',
    'LoadClipFrame',
    'LandscapeResize',
    'LoadClipArray',
]
