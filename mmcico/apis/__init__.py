"""Models on any video; imported by name when first used."""

import importlib
from typing import Any

import mmcico.compat  # noqa: F401

HOMES = {
    'CiCoInferencer': 'inferencer',
    'ClipStream': 'clip_stream',
    'FrameResult': 'stream_values',
    'FrameSource': 'sources',
    'StreamState': 'clip_stream',
    'open_source': 'sources',
}

__all__ = [*HOMES]


def __getattr__(name: str) -> Any:
    """Import and return the class or function of this name."""
    if name in HOMES:
        home = importlib.import_module(f'{__name__}.{HOMES[name]}')
        return getattr(home, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
