"""Load checkpoints with torch's safe unpickler, on either set of packages.

Since torch 2.6 ``torch.load`` refuses what mmengine saves beside weights
(its ``HistoryBuffer`` with numpy arrays).  These classes are allow-listed;
anything else is refused, also where the onedl fork would load it unsafely.
"""

import os.path as osp
import pickle
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

# a pickle stores HistoryBuffer's methods as getattr(HistoryBuffer, name)
STATISTICS = ('min', 'max', 'current', 'mean')
# what the unpickler raises on files that are none of its own
DAMAGED = (
    pickle.UnpicklingError,
    EOFError,
    RuntimeError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
)
DTYPES = ('?', 'b', 'h', 'i', 'l', 'q', 'B', 'H', 'I', 'L', 'Q', 'e', 'f', 'd', 'U', 'S')


def named(full_name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` under the name by which a pickle asks for it."""

    def alias(*args: Any) -> Any:
        return function(*args)

    alias.__module__, _, alias.__name__ = full_name.rpartition('.')
    alias.__qualname__ = alias.__name__
    return alias


def _statistics_method(owner: type, name: str) -> Callable[..., Any]:
    """The only use of ``getattr`` that a checkpoint may make."""
    from mmengine.logging import HistoryBuffer

    if owner is not HistoryBuffer or name not in STATISTICS:
        raise pickle.UnpicklingError(f'GLOBAL getattr({getattr(owner, "__name__", owner)},{name})')
    return getattr(owner, name)


def safe_globals() -> list[Any]:
    """Classes and functions in the pickles that mmengine itself writes.

    numpy 1 and 2 give the same functions different names; a checkpoint may
    come from either.
    """
    from mmengine.config import ConfigDict
    from mmengine.logging import HistoryBuffer

    core = getattr(np, '_core', None) or np.core
    functions = [
        named(f'numpy.{package}.multiarray.{name}', getattr(core.multiarray, name))
        for package in ('core', '_core')
        for name in ('_reconstruct', 'scalar')
    ]
    dtypes = {type(np.dtype(code)) for code in DTYPES}
    return [
        HistoryBuffer,
        ConfigDict,
        np.ndarray,
        np.dtype,
        *dtypes,
        *functions,
        named('builtins.getattr', _statistics_method),
    ]


def _explain(error: Exception, source: str) -> ValueError:
    """A message with the class and the file."""
    if source.lower().endswith('.onnx'):
        return ValueError(
            f'"{source}" is an ONNX file where a checkpoint is '
            'needed; "mmcico predict --weights" runs it'
        )
    found = re.search(r'GLOBAL (\S+)', str(error))
    first_line = (str(error) or type(error).__name__).splitlines()[0]
    if found is None:
        return ValueError(
            f'checkpoint "{source}" cannot be read, it is damaged or no '
            f'PyTorch checkpoint: {first_line}'
        )
    return ValueError(
        f'checkpoint "{source}" is refused: it holds "{found.group(1)}", '
        'which is neither weights nor saved by mmengine, and loading it '
        'could run foreign code; if you trust the file, convert it to a '
        'plain state dict, or allow the class by '
        'torch.serialization.add_safe_globals'
    )


def load_safely(file: Any, map_location: Any = None, source: str | None = None) -> Any:
    """``torch.load`` restricted to weights and what mmengine saves.

    Args:
        file (str | IO): file to read.
        map_location (optional): as in ``torch.load``.
        source (str, optional): its name in messages. Defaults to ``file``.

    Returns:
        Any: the content.

    Raises:
        ValueError: if it is damaged or holds any other class; names both.
    """
    source = source or str(file)
    try:
        return torch.load(file, map_location=map_location, weights_only=True)
    except DAMAGED as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or ('device' in str(error).lower()):
            raise
        raise _explain(error, source) from error


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Loader of local files for mmengine's ``CheckpointLoader``."""
    filename = osp.expanduser(filename)
    if not osp.isfile(filename):
        raise FileNotFoundError(f'checkpoint "{filename}" does not exist')
    return load_safely(filename, map_location)


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    **kwargs: Any,
) -> Any:
    """``torch.hub.load_state_dict_from_url``, safe by default."""
    kwargs['weights_only'] = True
    try:
        return torch.hub.load_state_dict_from_url(url, model_dir, map_location, progress, **kwargs)
    except (pickle.UnpicklingError, EOFError) as error:
        raise _explain(error, url) from error


def guard_checkpoints(module: ModuleType) -> None:
    """Make ``mmengine.runner.checkpoint`` load safely and say why not.

    Args:
        module (ModuleType): the freshly imported module.
    """
    torch.serialization.add_safe_globals(safe_globals())
    module.CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    # every scheme over the network downloads through this function, which is
    # torch's with its unsafe default
    module.load_url = load_url
    if hasattr(module, '_safe_torch_load'):  # onedl's falls back to unsafe
        module._safe_torch_load = load_safely
