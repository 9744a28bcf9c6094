"""Load checkpoints without running code, on either set of packages.

Since torch 2.6 ``torch.load`` refuses what mmengine saves beside weights (its ``HistoryBuffer``
with numpy arrays). These classes are allowed; anything else is refused, also where the onedl fork
would load it unsafely. A config in a checkpoint is text that nothing here runs.
"""

import os.path as osp
import pickle
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch

# a pickle stores HistoryBuffer's methods as getattr(HistoryBuffer, name)
STATISTICS = ('min', 'max', 'current', 'mean')
# what the unpickler raises on files that are none of its own
OTHER = EOFError, RuntimeError, LookupError, AttributeError, TypeError, ValueError
DAMAGED = (pickle.UnpicklingError, *OTHER)
DTYPES = ('?', 'b', 'h', 'i', 'l', 'q', 'B', 'H', 'I', 'L', 'Q', 'e', 'f', 'd', 'U', 'S')


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

    if owner is not HistoryBuffer or name not in STATISTICS:
        raise pickle.UnpicklingError(f'GLOBAL getattr({getattr(owner, "__name__", owner)},{name})')
    return getattr(owner, name)


def safe_globals() -> list[Any]:
    """Return the classes and functions in the pickles that mmengine itself writes.

    NumPy 1 and 2 have different names for the same functions; a checkpoint may come from either.
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
    """Return an error that names the file and the class."""
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


def check_finite(checkpoint: Any, source: str) -> None:
    """Refuse weights with values that are not finite.

    Args:
        checkpoint (Any): Content of a file; its ``state_dict`` is checked if it has one.
        source (str): Name of the file in messages.

    Raises:
        ValueError: If a tensor holds NaN or infinity.
    """
    if not isinstance(checkpoint, Mapping):
        return
    weights = checkpoint.get('state_dict', checkpoint)
    tensors = {k: v for k, v in weights.items() if torch.is_tensor(v) and v.is_floating_point()}
    bad = [name for name, value in tensors.items() if not value.isfinite().all()]
    if bad:
        raise ValueError(
            f'checkpoint "{source}": {len(bad)} of {len(tensors)} tensors hold values that are '
            f'not finite (NaN or infinity), the first is {bad[0]}; use an earlier checkpoint, or '
            'train again with a lower learning rate'
        )


def load_safely(file: Any, map_location: Any = None, source: str | None = None) -> Any:
    """Load weights and what mmengine saves beside them, and nothing else.

    Args:
        file (str | IO): File to read.
        map_location (optional): As in ``torch.load``.
        source (str, optional): Name of the file in messages. Defaults to ``file``.

    Returns:
        Any: Content of the file, without the text that MMEngine's ``Runner.resume`` would run.

    Raises:
        ValueError: If the file is damaged, holds another class, or weights that are not finite.
    """
    source = source or str(file)
    try:
        content = torch.load(file, map_location=map_location, weights_only=True)
    except DAMAGED as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or 'device' in str(error).lower():
            raise
        raise _explain(error, source) from error
    return _checked(content, source)


def _checked(content: Any, source: str) -> Any:
    """Check weights and drop the text of a config that MMEngine runs on resuming."""
    check_finite(content, source)
    if isinstance(content, dict) and isinstance(content.get('meta'), dict):
        content['meta'].pop('config', None)
    return content


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a local file for mmengine's ``CheckpointLoader``."""
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
    """Download and load a file as ``torch.hub.load_state_dict_from_url``, but safely."""
    kwargs['weights_only'] = True
    try:
        content = torch.hub.load_state_dict_from_url(
            url, model_dir, map_location, progress, **kwargs
        )
    except (pickle.UnpicklingError, EOFError) as error:
        raise _explain(error, url) from error
    return _checked(content, url)


def guard_checkpoints(module: ModuleType) -> None:
    """Make ``mmengine.runner.checkpoint`` load safely and explain refusals.

    Args:
        module (ModuleType): The freshly imported module.
    """
    torch.serialization.add_safe_globals(safe_globals())
    module.CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    # every scheme over the network downloads by this function, which is torch's unsafe one
    changes: dict[str, Any] = dict(load_url=load_url)
    if hasattr(module, '_safe_torch_load'):  # onedl's falls back to unsafe
        changes['_safe_torch_load'] = load_safely
    vars(module).update(changes)
