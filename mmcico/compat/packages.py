"""Find installed packages without ``pkg_resources``.

MMEngine 0.10.7 asks ``pkg_resources``, which setuptools 82 dropped, and which
does not know where an editable installation (PEP 660) has its files.  Both
break ``_base_ = 'mmdet::...'``, ``'mmcico::...'`` and MMEngine's hub.
"""

import importlib.util
import os.path as osp
from importlib.metadata import PackageNotFoundError, distribution
from types import ModuleType

# who holds these functions under their own names
HOLDERS = (
    'mmengine.utils.package_utils',
    'mmengine.utils',
    'mmengine.config.config',
    'mmengine.hub.hub',
)


def module_folder(module: str) -> str | None:
    """Folder of an importable module, which is not imported."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    return osp.dirname(spec.origin)


def is_installed(package: str) -> bool:
    """Whether a module or a distribution of this name is there."""
    if module_folder(package) is not None:
        return True
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def get_installed_path(package: str) -> str:
    """Folder of a package.

    Args:
        package (str): name of the module, or of a distribution whose first
            public module has another name.

    Raises:
        PackageNotFoundError: if there is neither.
    """
    folder = module_folder(package)
    if folder is None:
        names = distribution(package).read_text('top_level.txt') or ''
        public = [each for each in names.split() if each[0] != '_']
        folder = module_folder(public[0]) if public else None
    if folder is None:
        raise PackageNotFoundError(package)
    return folder


def replace_functions(module: ModuleType) -> None:
    """Put both functions in the place of MMEngine's."""
    for function in (is_installed, get_installed_path):
        if hasattr(module, function.__name__):
            setattr(module, function.__name__, function)
