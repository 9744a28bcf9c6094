"""Data sets, samplers and transforms, imported at first use.

They need MMDetection; generated video (:mod:`mmcico.datasets.moving_shapes`) does not.
"""

import importlib
from typing import Any

import mmcico.compat  # noqa: F401

HOMES = {
    'VISDataset': 'vis_dataset',
    'VideoSampler': 'samplers',
    'ClipCopyPaste': 'transforms',
    'ClipFrameSample': 'transforms',
    'ClipMotion': 'transforms',
    'LandscapeResize': 'transforms',
    'LoadClipAnnotations': 'transforms',
    'LoadClipArray': 'transforms',
    'LoadClipFrame': 'transforms',
    'PackClipInputs': 'transforms',
}

__all__ = [*HOMES]


def __getattr__(name: str) -> Any:
    """Import the class of this name."""
    if name in HOMES:
        home = importlib.import_module(f'{__name__}.{HOMES[name]}')
        return getattr(home, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
