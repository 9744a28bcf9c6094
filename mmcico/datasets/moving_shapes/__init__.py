"""Moving shapes: synthetic videos with exact masks, boxes and occlusion."""

from .classes import SHAPE_CLASSES
from .config import DIFFICULTIES, SceneConfig, make_config
from .generate import Track, generate_video, write_dataset

__all__ = [
    'DIFFICULTIES',
    'SHAPE_CLASSES',
    'SceneConfig',
    'Track',
    'generate_video',
    'make_config',
    'write_dataset',
]
