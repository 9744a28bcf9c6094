"""Models outside of training: ONNX files, compiled and low precision runs.

Imported by name when first used, so that what is not needed is not loaded.
"""

import importlib
from typing import Any

HOMES = {
    'Agreement': 'options',
    'OnnxInfo': 'onnx_files',
    'OnnxNetwork': 'onnx_network',
    'autocast_model': 'options',
    'compare_clips': 'options',
    'compile_model': 'options',
    'export_onnx': 'onnx_export',
    'load_onnx_model': 'onnx_model',
    'set_precision': 'precision',
}

__all__ = [
    'Agreement',
    'OnnxInfo',
    'OnnxNetwork',
    'autocast_model',
    'compare_clips',
    'compile_model',
    'export_onnx',
    'load_onnx_model',
    'set_precision',
]


def __getattr__(name: str) -> Any:
    """The class or function of this name, imported now."""
    if name in HOMES:
        home = importlib.import_module(f'{__name__}.{HOMES[name]}')
        return getattr(home, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
