"""Layers that the heads are built from."""

from .clip_tower import ClipTower, tower_conv
from .mask_generators import DynamicMask, GaussianPlane, LinearMask, OffsetPlanes
from .upsample import BilinearUpsample, DeconvUpsample

__all__ = [
    'ClipTower',
    'tower_conv',
    'LinearMask',
    'DynamicMask',
    'OffsetPlanes',
    'GaussianPlane',
    'DeconvUpsample',
    'BilinearUpsample',
]
