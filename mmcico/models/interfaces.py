"""Checks, when a model is built, that its parts fit together; old names of their arguments."""

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mmengine.registry import Registry

Function = TypeVar('Function', bound=Callable[..., Any])


def build_part(registry: Registry, cfg: Any, place: str, **methods: Sequence[str]) -> Any:
    """Build a part of a model and check the interface that its user calls.

    Args:
        registry (Registry): Where the type of the part is registered.
        cfg (dict): Config of the part.
        place (str): Place of the config, for the message, e.g. ``'model.tracker'``.
        methods (Sequence[str]): Names of the arguments that each method must have.

    Returns:
        Any: The part.

    Raises:
        ValueError: If a method is missing or has other arguments.
    """
    name = cfg.get('type')
    kind = registry.get(name) if isinstance(name, str) else name
    # before it is built, since types that do not fit may need packages that are not installed
    problem = None if kind is None else misfit(kind, methods)
    if problem is None:
        return registry.build(cfg)
    raise ValueError(
        f'{place}: {kind.__name__} does not fit, because it has {problem}; types that fit: '
        f'{", ".join(fitting_types(registry, methods))}'
    )


def misfit(kind: Any, methods: dict[str, Sequence[str]]) -> str | None:
    """Return how a class differs from an interface, or None if it implements it."""
    for name, arguments in methods.items():
        wanted = f'{name}({", ".join(arguments)})'
        method = getattr(kind, name, None)
        if method is None:
            return f'no method {wanted}'
        try:
            inspect.signature(method).bind(None, **dict.fromkeys(arguments))
        except (TypeError, ValueError):
            return f'{name}{inspect.signature(method)} instead of {wanted}'
    return None


def fitting_types(registry: Registry, methods: dict[str, Sequence[str]]) -> list[str]:
    """Return the registered types that implement an interface, as configs write them."""
    own = [f'{registry.scope}.{name}' for name in registry.module_dict]
    parents = list(registry.parent.module_dict) if registry.parent else []
    return sorted(name for name in own + parents if misfit(registry.get(name), methods) is None)


def accept_old_names(**old_to_new: str) -> Callable[[Function], Function]:
    """Let a function accept keyword arguments by their former names, with a DeprecationWarning.

    The former name wins when both are given, because a config usually inherits the new name from
    its base and overrides it by the one that it has always used.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for old in old_to_new.keys() & kwargs.keys():
                owner = function.__qualname__.removesuffix('.__init__')
                warnings.warn(
                    f'{owner}: the argument "{old}" is now called "{old_to_new[old]}"; the old '
                    'name will be refused in the next version',
                    DeprecationWarning,
                    stacklevel=2,
                )
                kwargs[old_to_new[old]] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate
