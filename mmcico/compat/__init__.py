"""What mmcico changes in other packages so that it runs on stock and forked OpenMMLab packages.

Importing this package arranges the changes; each is made when the module that it is about is
imported. Every package of mmcico that imports MMDetection or MMCV therefore imports this one first.
"""

from types import ModuleType

from .check import check_packages
from .import_hook import when_imported
from .mmcv_ext import install_mmcv_ext
from .packages import HOLDERS, replace_functions

__all__ = ['check_packages', 'install']


def _guard_checkpoints(module: ModuleType) -> None:
    from .checkpoint import guard_checkpoints  # imports torch

    guard_checkpoints(module)


def _name_package(module: ModuleType) -> None:
    """Let ``mmcico::`` configs and MMEngine's hub find this package."""
    module.MODULE2PACKAGE.setdefault('mmcico', 'mmcico')


def install() -> None:
    """Arrange the changes; more calls than one change nothing."""
    install_mmcv_ext()
    when_imported('mmengine.runner.checkpoint', _guard_checkpoints)
    when_imported('mmengine.config.utils', _name_package)
    for name in HOLDERS:
        when_imported(name, replace_functions)


install()
