"""Layers that the heads are built from."""

from .clip_tower import ClipTower, tower_conv
from .mask_layers import (
    BilinearUpsample,
    DeconvUpsample,
    DynamicMask,
    GaussianPlane,
    LinearMask,
    OffsetPlanes,
)

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
