"""Transforms of clips."""

from .clip_sampling import ClipFrameSample
from .copy_paste import ClipCopyPaste
from .formatting import LandscapeResize, PackClipInputs
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
