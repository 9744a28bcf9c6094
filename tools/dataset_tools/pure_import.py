"""Import of parts of mmcico that need no OpenMMLab package."""

import importlib
from types import ModuleType


def pure_import(name: str) -> ModuleType:
    """Import ``mmcico.<name>``; a plain import does the same now."""
    return importlib.import_module(f'mmcico.{name}')
