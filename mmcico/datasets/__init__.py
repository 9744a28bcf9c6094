import mmdet.datasets  # noqa: F401  bare types of configs live there

from .samplers import VideoSampler
from .transforms import (ClipFrameSample, LoadClipAnnotations, LoadClipFrame,
                         PackClipInputs)
from .vis_dataset import VISDataset

__all__ = [
    'VISDataset', 'VideoSampler', 'ClipFrameSample', 'LoadClipFrame',
    'LoadClipAnnotations', 'PackClipInputs'
]
