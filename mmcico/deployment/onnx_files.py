"""ONNX files: their metadata, and sessions of ONNX Runtime."""

import ast
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.config import Config, ConfigDict

from mmcico.models.vis.cico import CiCo
from mmcico.version import __version__

PREFIX = 'mmcico.'


@dataclass(frozen=True)
class OnnxInfo:
    """Metadata of an exported clip network.

    Attributes:
        num_frames (int): T, fixed in the file.
        strides (tuple): (x, y) of each level, in pixels.
        classes (tuple[str]): Names by label.
        category_ids (tuple): Category id of each label.
        cfg (dict, optional): The whole config, where it is made of plain
            values.
        version (str): Of mmcico at export.
    """

    num_frames: int
    strides: tuple[tuple[int, int], ...]
    classes: tuple[str, ...] = ()
    category_ids: tuple[Any, ...] = ()
    cfg: dict[str, Any] | None = None
    version: str = __version__

    @classmethod
    def of(
        cls,
        model: CiCo,
        cfg: Config | ConfigDict | None = None,
        classes: Sequence[str] = (),
        category_ids: Sequence[Any] = (),
    ) -> 'OnnxInfo':
        """Gather what is known of a model.

        Args:
            model (CiCo): The model.
            cfg (Config, optional): The config it is built from.
            classes (Sequence[str]): Names by label.
            category_ids (Sequence): Category id of each label.

        Returns:
            OnnxInfo: To be written.
        """
        return cls(
            num_frames=model.num_frames,
            strides=strides_of(model),
            classes=tuple(classes),
            category_ids=tuple(category_ids),
            cfg=plain(cfg),
        )

    def to_props(self) -> dict[str, str]:
        """Texts by name, as ``metadata_props`` of ONNX holds them."""
        return {PREFIX + each.name: repr(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_props(cls, props: Mapping[str, str], path: str) -> 'OnnxInfo':
        """Read what :meth:`to_props` has written; nothing is executed.

        Args:
            props (Mapping[str, str]): Texts by name.
            path (str): The file, for messages.

        Returns:
            OnnxInfo: The metadata.

        Raises:
            ValueError: If the file is not one of mmcico's.
        """
        names = [each.name for each in fields(cls)]
        missing = [name for name in names if PREFIX + name not in props]
        if missing:
            raise ValueError(
                f'"{path}" is not a clip network of mmcico: its metadata has '
                f'no {", ".join(PREFIX + name for name in missing)}; write '
                'it by tools/deployment/export_onnx.py'
            )
        return cls(**{name: ast.literal_eval(props[PREFIX + name]) for name in names})


def strides_of(model: CiCo) -> tuple[tuple[int, int], ...]:
    """(x, y) strides of all levels, in pixels."""
    return tuple((int(x), int(y)) for x, y in model.bbox_head.anchor_generator.strides)


def plain(cfg: Config | ConfigDict | None) -> dict[str, Any] | None:
    """A config as a dict; None if its text cannot be read again."""
    if cfg is None:
        return None
    values = cfg.to_dict()
    try:
        return values if ast.literal_eval(repr(values)) == values else None
    except (ValueError, SyntaxError):
        return None


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
