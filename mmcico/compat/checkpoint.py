"""Load checkpoints without running code, on either set of packages.

Beside weights, MMEngine saves its ``HistoryBuffer`` with NumPy arrays. These classes are allowed;
anything else is refused, also where the onedl fork would load it unsafely. A config in a checkpoint
is text that nothing here runs.
"""

import os.path as osp
import pickle
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch

# what the unpickler raises on files that are none of its own
OTHER = EOFError, RuntimeError, LookupError, AttributeError, TypeError, ValueError
DAMAGED = (pickle.UnpicklingError, *OTHER)


def named(full_name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function under the name by which a pickle asks for it."""

    def alias(*args: Any) -> Any:
        return function(*args)

    alias.__module__, _, alias.__name__ = full_name.rpartition('.')
    alias.__qualname__ = alias.__name__
    return alias


def _statistics_method(owner: type, name: str) -> Callable[..., Any]:
    """Return a method of ``HistoryBuffer``: all that a checkpoint may use ``getattr`` for."""
    from mmengine.logging import HistoryBuffer

    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise pickle.UnpicklingError(f'GLOBAL getattr({getattr(owner, "__name__", owner)},{name})')
    return getattr(owner, name)


def _safe_globals() -> list[Any]:
    """Return what MMEngine's pickles name; NumPy 1 and 2 name the same functions differently."""
    from mmengine.config import ConfigDict
    from mmengine.logging import HistoryBuffer

    core: Any = getattr(np, '_core', None)
    if not hasattr(core, 'multiarray'):  # NumPy 1, whose numpy._core is empty or absent
        core = np.core
    functions = [
        named(f'numpy.{package}.multiarray.{name}', getattr(core.multiarray, name))
        for package in ('core', '_core')
        for name in ('_reconstruct', 'scalar')
    ]
    dtypes = {type(np.dtype(code)) for code in '?bhilqBHILQefdUS'}
    getter = named('builtins.getattr', _statistics_method)
    return [HistoryBuffer, ConfigDict, np.ndarray, np.dtype, *dtypes, *functions, getter]


def _explain(error: Exception, source: str) -> ValueError:
    """Return an error that names the file and the class."""
    if source.lower().endswith('.onnx'):
        return ValueError(
            f'"{source}" is an ONNX file where a checkpoint is needed; "mmcico predict --weights" '
            'runs it'
        )
    found = re.search(r'GLOBAL (\S+)', str(error))
    if found is None:
        # PyTorch's own text advises to load the file unsafely, or is a byte of it
        return ValueError(
            f'checkpoint "{source}" cannot be read, it is damaged or no PyTorch checkpoint'
        )
    return ValueError(
        f'checkpoint "{source}" is refused: it holds "{found[1]}", which is neither weights nor '
        'saved by mmengine, and loading it could run foreign code; if you trust the file, convert '
        'it to a plain state dict, or allow the class by torch.serialization.add_safe_globals'
    )


def _checked(content: Any, source: str) -> Any:
    """Refuse weights that are not finite; drop the text that ``Runner.resume`` would run."""
    if not isinstance(content, Mapping):
        return content
    weights = content.get('state_dict', content)
    tensors = {k: v for k, v in weights.items() if torch.is_tensor(v) and v.is_floating_point()}
    bad = [name for name, value in tensors.items() if not value.isfinite().all()]
    if bad:
        raise ValueError(
            f'checkpoint "{source}": {len(bad)} of {len(tensors)} tensors hold values that are '
            f'not finite (NaN or infinity), the first is {bad[0]}; use an earlier checkpoint, or '
            'train again with a lower learning rate'
        )
    if isinstance(content.get('meta'), dict):
        content['meta'].pop('config', None)
    return content


def load_safely(file: Any, map_location: Any = None) -> Any:
    """Load weights and what MMEngine saves beside them, and nothing else.

    The text that MMEngine's ``Runner.resume`` would run is left out.

    Raises:
        ValueError: If the file is damaged, holds another class, or weights that are not finite.
    """
    try:
        content = torch.load(file, map_location=map_location, weights_only=True)
    except DAMAGED as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or 'device' in str(error).lower():
            raise
        raise _explain(error, str(file)) from error
    return _checked(content, str(file))


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a local file for MMEngine's ``CheckpointLoader``."""
    filename = osp.expanduser(filename)
    if not osp.isfile(filename):
        raise FileNotFoundError(f'checkpoint "{filename}" does not exist')
    return load_safely(filename, map_location)


def _load_url(url: str, *args: Any, **kwargs: Any) -> Any:
    """Download and load a file as ``torch.hub.load_state_dict_from_url``, but safely."""
    try:
        content = torch.hub.load_state_dict_from_url(url, *args, **{**kwargs, 'weights_only': True})
    except (pickle.UnpicklingError, EOFError) as error:
        raise _explain(error, url) from error
    return _checked(content, url)


class _SafeTorch:
    """Stands for ``torch`` in MMEngine's module, with a safe ``load``."""

    def load(self, file: Any, map_location: Any = None, **kwargs: Any) -> Any:
        """Load a file as data, whatever else the caller asks for."""
        return load_safely(file, map_location)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def guard_checkpoints(module: ModuleType) -> None:
    """Let ``mmengine.runner.checkpoint``, just imported, load safely and explain refusals."""
    torch.serialization.add_safe_globals(_safe_globals())
    module.CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    # load_url calls torch.hub, which would load unsafely; other schemes call torch.load
    vars(module).update(load_url=_load_url, torch=_SafeTorch())
    if hasattr(module, '_safe_torch_load'):  # the fork's own forgets what was allowed before it
        vars(module)['_safe_torch_load'] = _SafeTorch().load
