"""Transforms of clips."""

from .clips import ClipFrameSample, LandscapeResize, PackClipInputs
from .copy_paste import ClipCopyPaste
from .loading import LoadClipAnnotations, LoadClipArray, LoadClipFrame
from .motion import ClipMotion

__all__ = [
    'ClipCopyPaste',
    'ClipMotion',
    'ClipFrameSample',
    'PackClipInputs',
    'LoadClipAnnotations',
    'LoadClipFrame',
    'LandscapeResize',
    'LoadClipArray',
]
