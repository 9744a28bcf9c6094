"""Optional packages, and sessions of ONNX Runtime."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any


def optional_package(name: str) -> ModuleType:
    """Import a package of the extra ``[onnx]``.

    Raises:
        ValueError: If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f'the Python package "{name}" is needed for ONNX '
            f"files ({error}): pip install 'mmcico[onnx]'"
        ) from error


def open_session(path: str, providers: Sequence[str] | None = None, num_threads: int = 0) -> Any:
    """Open a file in ONNX Runtime.

    Args:
        path (str): The file.
        providers (Sequence[str], optional): Names of ONNX Runtime's
            execution providers, best first; all that are installed when
            left out.
        num_threads (int): Of the CPU; ONNX Runtime's own choice if 0.

    Returns:
        InferenceSession: The session.

    Raises:
        ValueError: If there is no such file or provider, or the file is
            damaged.
    """
    runtime = optional_package('onnxruntime')
    if not Path(path).is_file():
        raise ValueError(f'ONNX file "{path}" does not exist')
    known = runtime.get_available_providers()
    unknown = sorted(set(providers or ()) - set(known))
    if unknown:
        raise ValueError(
            f'ONNX Runtime has no provider {", ".join(unknown)} here, but '
            f'{", ".join(known)}; install the onnxruntime package that has it'
        )
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads
    try:
        return runtime.InferenceSession(str(path), options, providers=list(providers or known))
    except Exception as error:
        # ONNX Runtime's errors have no common base but Exception
        raise ValueError(f'ONNX Runtime cannot open "{path}": {error}') from error
