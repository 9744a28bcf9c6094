"""Moving shapes: synthetic videos with exact masks, boxes and occlusion."""

from .classes import SHAPE_CLASSES
from .generate import Track, generate_video, write_dataset
from .scene import DIFFICULTIES, SceneConfig, make_config

__all__ = [
    'DIFFICULTIES',
    'SHAPE_CLASSES',
    'SceneConfig',
    'Track',
    'generate_video',
    'make_config',
    'write_dataset',
]
