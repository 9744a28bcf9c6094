"""What mmcico does so that stock and forked OpenMMLab packages run it."""

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
    """Let mmengine's ``mmcico::`` configs and hub find this package."""
    module.MODULE2PACKAGE.setdefault('mmcico', 'mmcico')


def install() -> None:
    """Check the packages and arrange all that happens when they load."""
    check_packages()
    install_mmcv_ext()
    when_imported('mmengine.runner.checkpoint', _guard_checkpoints)
    when_imported('mmengine.config.utils', _name_package)
    for name in HOLDERS:
        when_imported(name, replace_functions)
