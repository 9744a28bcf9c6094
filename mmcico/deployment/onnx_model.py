"""A model whose network is an ONNX file."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch import nn

from mmcico.models.heads import CiCoHead
from mmcico.models.vis.cico import CiCo
from mmcico.registry import MODELS
from mmcico.utils.embedded_config import checked_config

from .onnx_files import OnnxInfo, open_session, strides_of
from .onnx_network import OnnxNetwork, output_names

#: settings of the model that the file's numbers depend on
FIXED = (
    ('data_preprocessor',),
    ('bbox_head', 'anchor_generator'),
    ('bbox_head', 'bbox_coder'),
    ('mask_head', 'generator'),
)
#: part of the mask head that works on the file's outputs
USED = ('generator',)


class InFile(nn.Module):
    """Stands where a layer was that is in the file now."""

    def forward(self, *args: Any) -> NoReturn:
        """Refuse.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'this model runs an ONNX file: it can predict, but neither train '
            'nor give features; build it from its config and checkpoint'
        )


def load_onnx_model(
    cfg: Config | ConfigDict | None,
    path: str,
    device: str | None = None,
    providers: Sequence[str] | None = None,
    num_threads: int = 0,
) -> CiCo:
    """A model that runs an exported network.

    It takes the place of the model in :class:`ClipStream`, in inferencers
    and in test loops. Selection, masks and linking are those of PyTorch.

    Args:
        cfg (Config, optional): The model's config, of which tracker and
            ``test_cfg`` may be changed; the file's own when left out.
        path (str): File written by :func:`export_onnx`.
        device (str, optional): Of what PyTorch does.
        providers (Sequence[str], optional): Of ONNX Runtime; all that are
            installed, best first, when left out.
        num_threads (int): Of ONNX Runtime on the CPU; its own choice if 0.

    Returns:
        CiCo: In eval mode, with ``network`` an :class:`OnnxNetwork`,
        ``onnx_info`` the file's metadata and ``dataset_meta``.

    Raises:
        ValueError: If the file cannot be used, or not with this config.
    """
    session = open_session(path, providers, num_threads)
    info = OnnxInfo.from_props(session.get_modelmeta().custom_metadata_map, path)
    if cfg is None and info.cfg is None:
        raise ValueError(f'"{path}" holds no config; give it as cfg')
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
    """Take away the layers whose work the file does."""
    layers: list[tuple[nn.Module, list[str]]] = [(model, ['backbone', 'neck'])]
    for head in (model.bbox_head, model.mask_head):
        layers.append(
            (
                head,
                [
                    name
                    for name, child in head.named_children()
                    if name not in USED and any(True for _ in child.parameters())
                ],
            )
        )
    for part, names in layers:
        for name in names:
            setattr(part, name, InFile())


def check_settings(settings: ConfigDict, info: OnnxInfo, path: str) -> None:
    """Refuse a config that gives the file's numbers another meaning.

    Raises:
        ValueError: Then.
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
                f'"{path}" was exported with model.{".".join(keys)}='
                f'{as_text(file)}, the config has {as_text(own)}; use the '
                'same config, or export again'
            )


def as_text(value: Any) -> str:
    """A setting as text; tuples and lists are the same."""
    return json.dumps(value, sort_keys=True, default=str)


def check_fit(model: CiCo, session: Any, info: OnnxInfo, path: str) -> None:
    """Refuse a file of another model.

    Raises:
        ValueError: Then, with all that differs.
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
    """Length of an axis of an output; None if there is no such output."""
    return shapes[name][axis] if name in shapes else None
