"""What an exported file says about itself."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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
