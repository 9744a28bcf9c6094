"""Import of parts of mmcico that need no OpenMMLab package."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def pure_import(name: str) -> ModuleType:
    """Import ``mmcico.<name>`` where MMDetection may be missing.

    ``mmcico/__init__.py`` asks for these packages, so it is not run. The
    source folder around this file goes first, else the installed package.

    Args:
        name: such as ``datasets.annotation_files``.

    Raises:
        ImportError: if mmcico is not found.
    """
    root = Path(__file__).resolve().parents[2]
    if (root / 'mmcico' / '__init__.py').is_file():
        sys.path.insert(0, str(root))
    if 'mmcico' not in sys.modules:
        spec = importlib.util.find_spec('mmcico')
        if spec is None:
            raise ImportError('mmcico is not installed; run "pip install ." in its source folder')
        sys.modules['mmcico'] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f'mmcico.{name}')
