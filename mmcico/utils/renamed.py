"""Old names of arguments, accepted for one version."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar('Function', bound=Callable[..., Any])


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
