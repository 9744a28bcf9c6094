"""A model whose network is an ONNX file."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from mmcico.compat.embedded_config import checked_config

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch import nn

from mmcico.models.heads import CiCoHead
from mmcico.models.vis.cico import CiCo
from mmcico.registry import MODELS

from .onnx_files import OnnxInfo, OnnxNetwork, open_session, output_names, strides_of

#: settings of the model that give the outputs of the file their meaning
FIXED = (
    ('data_preprocessor',),
    ('bbox_head', 'anchor_generator'),
    ('bbox_head', 'bbox_coder'),
    ('mask_head', 'generator'),
)


class InFile(nn.Module):
    """Takes the place of a layer that is in the file."""

    def forward(self, *args: Any) -> NoReturn:
        """Raise an error, as there is no layer to run.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'this model runs an ONNX file: it can predict, but neither train nor give features; '
            'build it from its config and checkpoint for these'
        )


def load_onnx_model(
    cfg: Config | ConfigDict | None,
    path: str,
    device: str | None = None,
    providers: Sequence[str] | None = None,
    num_threads: int = 0,
) -> CiCo:
    """Build a model that runs an exported network.

    It can be used in :class:`ClipStream`, in inferencers and in test loops. PyTorch selects, draws
    and links the instances as before.

    Args:
        cfg (Config, optional): Config of the model; its tracker and ``test_cfg`` may differ from
            those at export. Default: the config in the file.
        path (str): File written by :func:`export_onnx`.
        device (str, optional): Device of the parts that run in PyTorch.
        providers (Sequence[str], optional): Names of ONNX Runtime's execution providers, the
            preferred one first. Default: all that are installed.
        num_threads (int): Number of CPU threads of ONNX Runtime; 0 lets it choose.

    Returns:
        CiCo: Model in eval mode. Its ``network`` is an :class:`OnnxNetwork`; it also has
        ``onnx_info``, the metadata of the file, and ``dataset_meta``.

    Raises:
        ValueError: If the file cannot be used, or does not fit the config.
    """
    session = open_session(path, providers, num_threads)
    info = OnnxInfo.from_props(session.get_modelmeta().custom_metadata_map, path)
    if cfg is None and info.cfg is None:
        raise ValueError(f'"{path}" holds no config; give one as cfg')
    cfg = checked_config(info.cfg or {}, path) if cfg is None else cfg
    settings = cfg.get('model', cfg)
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    check_settings(settings, info, path)
    bbox_head = CiCoHead.without_losses(settings['bbox_head'])
    model = MODELS.build(dict(settings, bbox_head=bbox_head)).eval()
    check_fit(model, session, info, path)
    drop_layers(model)
    model.network = OnnxNetwork(session)
    model.onnx_info = info
    model.dataset_meta = dict(classes=info.classes, category_ids=info.category_ids)
    return model if device is None else model.to(device)


def drop_layers(model: CiCo) -> None:
    """Replace the layers that are in the file, which frees their weights."""
    layers: list[tuple[nn.Module, str]] = [(model, 'backbone'), (model, 'neck')]
    for head in (model.bbox_head, model.mask_head):
        for name, child in head.named_children():
            # the mask generator works on the outputs of the file
            if name != 'generator' and any(True for _ in child.parameters()):
                layers.append((head, name))
    for part, name in layers:
        setattr(part, name, InFile())


def check_settings(settings: ConfigDict, info: OnnxInfo, path: str) -> None:
    """Check that a config gives the outputs of the file the meaning that they had at export.

    Raises:
        ValueError: If a setting differs.
    """
    if info.cfg is None:
        return
    for keys in FIXED:
        own, file = settings, info.cfg['model']
        for key in keys:
            own = (own or {}).get(key)
            file = (file or {}).get(key)
        if as_text(own) != as_text(file):
            raise ValueError(
                f'"{path}" was exported with model.{".".join(keys)}={as_text(file)}, but the '
                f'config has {as_text(own)}; use the same config, or export again'
            )


def as_text(value: Any) -> str:
    """Return a setting as text; tuples and lists give the same text."""
    return json.dumps(value, sort_keys=True, default=str)


def check_fit(model: CiCo, session: Any, info: OnnxInfo, path: str) -> None:
    """Check that a file belongs to a model.

    Raises:
        ValueError: If it does not; the message names all differences.
    """
    shapes = {each.name: each.shape for each in session.get_outputs()}
    head = model.bbox_head
    pairs: dict[str, tuple[Any, Any]] = {
        'outputs': (sorted(shapes), sorted(output_names(model))),
        'frames of a clip (T)': (info.num_frames, model.num_frames),
        'query frames': (shape_at(shapes, 'cls_scores', 0), len(head.query_frames)),
        'class channels': (shape_at(shapes, 'cls_scores', -1), head.cls_channels),
        'mask parameters': (shape_at(shapes, 'mask_params', -1), model.mask_head.num_params),
        'prototypes': (shape_at(shapes, 'protos', 0), model.mask_head.generator.num_protos),
        'strides': (info.strides, strides_of(model)),
    }
    wrong = [
        f'{name} {file} instead of {own}' for name, (file, own) in pairs.items() if file != own
    ]
    if wrong:
        raise ValueError(f'"{path}" does not fit the config: it has {"; ".join(wrong)}')


def shape_at(shapes: dict[str, list], name: str, axis: int) -> Any:
    """Return the length of an axis of an output, None if the output does not exist."""
    return shapes[name][axis] if name in shapes else None
