"""Answer to a missing ``mmcv._ext``, mmcv's compiled operators.

``mmcv.ops`` loads ``mmcv._ext`` on import, and much of MMDetection imports
``mmcv.ops``.  mmcv-lite has no such module.  A finder at the very end of
``sys.meta_path`` is asked only after Python found none, so that compiled
operators are never replaced.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

EXT_NAME = 'mmcv._ext'


def missing_operator(name: str) -> Callable[..., Any]:
    """A function which says that the operator ``name`` is not there."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f'the operator "{name}" was called, but the installed mmcv has '
            'no compiled operators (mmcv-lite or onedl-mmcv from its source '
            'package), and mmcico has no PyTorch version of this one; '
            'install an mmcv build with compiled operators for your PyTorch '
            '("pip uninstall mmcv-lite", then "mim install '
            "'mmcv>=2.0.0rc4,<2.2.0'\"), or choose a model without it"
        )

    fail.__name__ = name
    return fail


class _ExtLoader(importlib.abc.Loader):
    """Fills the module on its first import."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the operators in."""
        # torch and the operators load only when mmcv.ops is wanted
        from . import focal_loss, nms, roi_align

        for source in (focal_loss, nms, roi_align):
            for name in source.__all__:
                setattr(module, name, getattr(source, name))
        # mmcv's and mmengine's reports of the environment ask for these
        module.get_compiler_version = lambda: 'n/a'
        module.get_compiling_cuda_version = lambda: 'n/a'
        module.__getattr__ = _operator_or_attribute_error


def _operator_or_attribute_error(name: str) -> Callable[..., Any]:
    """Module ``__getattr__``: any public name is an operator."""
    if name.startswith('__'):
        raise AttributeError(f'module "{EXT_NAME}" has no "{name}"')
    return missing_operator(name)


class MMCVExtFinder(importlib.abc.MetaPathFinder):
    """Finds ``mmcv._ext`` and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Spec of our stand-in, ``None`` for any other module."""
        if fullname != EXT_NAME:
            return None
        return importlib.machinery.ModuleSpec(fullname, _ExtLoader(), origin='mmcico.compat')


def install_mmcv_ext() -> None:
    """Append the finder to ``sys.meta_path``, once."""
    if not any(isinstance(each, MMCVExtFinder) for each in sys.meta_path):
        sys.meta_path.append(MMCVExtFinder())
