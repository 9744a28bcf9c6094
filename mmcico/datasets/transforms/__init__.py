"""Transforms of clips."""

from .clips import ClipFrameSample, LandscapeResize, PackClipInputs
from .copy_paste import ClipCopyPaste
from .loading import LoadClipAnnotations, LoadClipArray, LoadClipFrame

__all__ = [
    'ClipCopyPaste',
    'ClipFrameSample',
    'PackClipInputs',
    'LoadClipAnnotations',
    'LoadClipFrame',
    'LandscapeResize',
    'LoadClipArray',
]
