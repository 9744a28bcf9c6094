"""Metadata of ONNX files, and sessions of ONNX Runtime."""

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
        strides (tuple): (x, y) strides of each level, in pixels.
        classes (tuple[str]): Class name of each label.
        category_ids (tuple): Category id of each label.
        cfg (dict, optional): The whole config; None if it has values that are not plain.
        version (str): Version of mmcico that exported the file.
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
        """Return the metadata of a model.

        Args:
            model (CiCo): The model.
            cfg (Config, optional): Config of the model.
            classes (Sequence[str]): Class name of each label.
            category_ids (Sequence): Category id of each label.
        """
        return cls(
            num_frames=model.num_frames,
            strides=strides_of(model),
            classes=tuple(classes),
            category_ids=tuple(category_ids),
            cfg=plain(cfg),
        )

    def to_props(self) -> dict[str, str]:
        """Return the metadata as texts by name, as ``metadata_props`` of ONNX holds them."""
        return {PREFIX + each.name: repr(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_props(cls, props: Mapping[str, str], path: str) -> 'OnnxInfo':
        """Read texts that :meth:`to_props` has written, without executing any code.

        Args:
            props (Mapping[str, str]): Texts by name.
            path (str): Path of the file, for messages.

        Raises:
            ValueError: If mmcico did not write the file.
        """
        names = [each.name for each in fields(cls)]
        missing = [name for name in names if PREFIX + name not in props]
        if missing:
            raise ValueError(
                f'"{path}" is not a clip network of mmcico: its metadata has no '
                f'{", ".join(PREFIX + name for name in missing)}; give a file that '
                'tools/deployment/export_onnx.py has written'
            )
        return cls(**{name: ast.literal_eval(props[PREFIX + name]) for name in names})


def strides_of(model: CiCo) -> tuple[tuple[int, int], ...]:
    """Return the (x, y) strides of all levels in pixels."""
    return tuple((int(x), int(y)) for x, y in model.bbox_head.anchor_generator.strides)


def plain(cfg: Config | ConfigDict | None) -> dict[str, Any] | None:
    """Return a config as a dict, None if the dict cannot be read back from its text."""
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
            f'ONNX files need the Python package "{name}", which cannot be imported ({error}); '
            "run: pip install 'mmcico[onnx]'"
        ) from error


def open_session(path: str, providers: Sequence[str] | None = None, num_threads: int = 0) -> Any:
    """Open a file in ONNX Runtime.

    Args:
        path (str): Path of the file.
        providers (Sequence[str], optional): Names of ONNX Runtime's execution providers, the
            preferred one first. Default: all that are installed.
        num_threads (int): Number of CPU threads; 0 lets ONNX Runtime choose.

    Returns:
        InferenceSession: The session.

    Raises:
        ValueError: If the file or a provider does not exist, or the file is damaged.
    """
    runtime = optional_package('onnxruntime')
    if not Path(path).is_file():
        raise ValueError(f'ONNX file "{path}" does not exist')
    known = runtime.get_available_providers()
    unknown = sorted(set(providers or ()) - set(known))
    if unknown:
        raise ValueError(
            f'ONNX Runtime has no provider {", ".join(unknown)}, only {", ".join(known)}; choose '
            'one of these or install an onnxruntime package that has it'
        )
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads
    try:
        return runtime.InferenceSession(str(path), options, providers=list(providers or known))
    except Exception as error:
        # the errors of ONNX Runtime have no other common base
        raise ValueError(f'ONNX Runtime cannot open "{path}": {error}') from error
