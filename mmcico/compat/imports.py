"""Finders of modules: callbacks on imports, and the missing ``mmcv._ext``."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

Callback = Callable[[ModuleType], None]
EXT_NAME = 'mmcv._ext'


class ImportHook(importlib.abc.MetaPathFinder):
    """Let the other finders work and call back when the module has been executed."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Callback] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the ordinary spec with a loader that calls back."""
        callback = self.callbacks.pop(fullname, None)
        if callback is None:
            return None
        # popped above, so that this search does not come here again
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            callback(module)

        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec


def when_imported(name: str, callback: Callback) -> None:
    """Call ``callback(module)`` once a module is imported, or now if it is.

    Args:
        name (str): Full name of the module.
        callback (Callable): Receives the module.
    """
    if name in sys.modules:
        callback(sys.modules[name])
        return
    hooks = [each for each in sys.meta_path if isinstance(each, ImportHook)]
    if not hooks:
        hooks = [ImportHook()]
        sys.meta_path.insert(0, hooks[0])
    hooks[0].callbacks[name] = callback


def _operator(name: str) -> Callable[..., Any]:
    """Return a function which says that an operator is missing; any public name is one."""
    if name.startswith('__'):
        raise AttributeError(f'module "{EXT_NAME}" has no "{name}"')

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f'the operator "{name}" was called, but the installed mmcv has no compiled operators '
            '(mmcv-lite or onedl-mmcv from its source package), and mmcico has no PyTorch version '
            'of this one; install an mmcv with compiled operators for your PyTorch ("pip uninstall '
            'mmcv-lite", then "mim install \'mmcv>=2.0.0rc4,<2.2.0\'"), or choose a model '
            'without it'
        )

    fail.__name__ = name
    return fail


class MMCVExtFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find ``mmcv._ext`` and nothing else, and fill it with operators in PyTorch.

    ``mmcv.ops`` imports ``mmcv._ext``, and much of MMDetection imports ``mmcv.ops``; mmcv-lite has
    no such module. The finder stands at the end of ``sys.meta_path``, so that it is asked only if
    Python finds none: compiled operators are never replaced.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for ``mmcv._ext``, None for any other module."""
        if fullname != EXT_NAME:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin='mmcico.compat')

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let Python create an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the operators into the module."""
        from . import operators  # imports torch

        for name in operators.__all__:
            setattr(module, name, getattr(operators, name))
        # reports of the environment by mmcv and mmengine ask for these
        attributes: dict[str, Any] = dict(
            get_compiler_version=lambda: 'n/a',
            get_compiling_cuda_version=lambda: 'n/a',
            __getattr__=_operator,
        )
        vars(module).update(attributes)


def install_mmcv_ext() -> None:
    """Append the finder of ``mmcv._ext`` to ``sys.meta_path``, once."""
    if not any(isinstance(each, MMCVExtFinder) for each in sys.meta_path):
        sys.meta_path.append(MMCVExtFinder())
