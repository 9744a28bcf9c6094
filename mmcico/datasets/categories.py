"""Moved to :mod:`mmcico.formats.categories`."""

from mmcico.formats.categories import (
    ALIASES,
    OVIS,
    VERSIONS,
    YOUTUBE_VIS_2019,
    YOUTUBE_VIS_2021,
    category_labels,
    expected_names,
    normalised,
)
from mmcico.formats.fields import id_order

__all__ = [
    'ALIASES',
    'OVIS',
    'VERSIONS',
    'YOUTUBE_VIS_2019',
    'YOUTUBE_VIS_2021',
    'category_labels',
    'expected_names',
    'id_order',
    'normalised',
]
