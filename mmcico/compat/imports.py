"""Callbacks on imports of other modules."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

Callback = Callable[[ModuleType], None]


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
    """Call ``callback(module)`` once the module of this full name is imported, or now if it is."""
    if name in sys.modules:
        callback(sys.modules[name])
        return
    hooks = [each for each in sys.meta_path if isinstance(each, ImportHook)]
    if not hooks:
        hooks = [ImportHook()]
        sys.meta_path.insert(0, hooks[0])
    hooks[0].callbacks[name] = callback
