"""Data sets and transforms; what needs MMDetection loads when asked for.

Generated video (:mod:`mmcico.datasets.moving_shapes`) does not.
"""

import importlib
from typing import Any

import mmcico.compat  # noqa: F401

HOMES = {
    'VISDataset': 'vis_dataset',
    'VideoSampler': 'samplers',
    'ClipFrameSample': 'transforms',
    'LandscapeResize': 'transforms',
    'LoadClipAnnotations': 'transforms',
    'LoadClipArray': 'transforms',
    'LoadClipFrame': 'transforms',
    'PackClipInputs': 'transforms',
}

__all__ = [
    'VISDataset',
    'VideoSampler',
    'ClipFrameSample',
    'LandscapeResize',
    'LoadClipAnnotations',
    'LoadClipArray',
    'LoadClipFrame',
    'PackClipInputs',
]


def __getattr__(name: str) -> Any:
    """The class of this name, imported now."""
    if name in HOMES:
        home = importlib.import_module(f'{__name__}.{HOMES[name]}')
        return getattr(home, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
