"""Models on any video; imported by name when first used."""

import importlib
from typing import TYPE_CHECKING, Any

import mmcico.compat  # noqa: F401

if TYPE_CHECKING:
    from .clip_stream import ClipStream, StreamState
    from .inferencer import CiCoInferencer
    from .sources import FrameSource, open_source
    from .stream_values import FrameResult

HOMES = {
    'CiCoInferencer': 'inferencer',
    'ClipStream': 'clip_stream',
    'FrameResult': 'stream_values',
    'FrameSource': 'sources',
    'StreamState': 'clip_stream',
    'open_source': 'sources',
}

__all__ = [
    'CiCoInferencer',
    'ClipStream',
    'FrameResult',
    'FrameSource',
    'StreamState',
    'open_source',
]


def __getattr__(name: str) -> Any:
    """Import and return the class or function of this name."""
    if name in HOMES:
        home = importlib.import_module(f'{__name__}.{HOMES[name]}')
        return getattr(home, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
