"""Transforms of clips."""

from .formatting import ClipFrameSample, LandscapeResize, PackClipInputs
from .loading import LoadClipAnnotations, LoadClipArray, LoadClipFrame

__all__ = [
    'ClipFrameSample',
    'PackClipInputs',
    'LoadClipAnnotations',
    'LoadClipFrame',
    'LandscapeResize',
    'LoadClipArray',
]
