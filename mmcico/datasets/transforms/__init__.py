"""Transforms of clips."""

from .clip_sampling import ClipFrameSample
from .formatting import PackClipInputs
from .loading import LoadClipAnnotations, LoadClipArray, LoadClipFrame
from .resize import LandscapeResize

__all__ = [
    'ClipFrameSample',
    'PackClipInputs',
    'LoadClipAnnotations',
    'LoadClipFrame',
    'LandscapeResize',
    'LoadClipArray',
]
