"""A small config and weights for tests of inference."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcico.registry import MODELS

from .models import small_model_cfg

CLASSES = ('disc', 'box', 'star', 'ring')


def small_inference_cfg(kind: str = 'yolact') -> Config:
    """Return a config with all settings that :class:`CiCoInferencer` reads."""
    model = small_model_cfg(kind)
    model['test_cfg'] = dict(nms=dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=20))
    resize = dict(type='Resize', scale=(128, 64), keep_ratio=True)
    pipeline = [
        dict(type='mmcico.ClipFrameSample'),
        dict(type='TransformBroadcaster', transforms=[dict(type='mmcico.LoadClipFrame'), resize]),
        dict(type='mmcico.PackClipInputs'),
    ]
    dataset = dict(
        type='mmcico.VISDataset', overlap=1, metainfo=dict(classes=CLASSES), pipeline=pipeline
    )
    return Config(dict(default_scope='mmdet', model=model, test_dataloader=dict(dataset=dataset)))


def write_small_model(folder: str | Path, kind: str = 'yolact') -> tuple[str, str]:
    """Write a config and random weights that find something everywhere.

    Args:
        folder (str | Path): Where to.
        kind (str): ``'yolact'`` or ``'condinst'``.

    Returns:
        tuple[str, str]: Paths of the config and of the weights.
    """
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = small_inference_cfg(kind)
    model = MODELS.build(cfg.model)
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    config, weights = Path(folder) / 'small.py', Path(folder) / 'small.pth'
    config.write_text(cfg.pretty_text, encoding='utf-8')
    meta = dict(dataset_meta=dict(classes=CLASSES, category_ids=(11, 12, 13, 14)))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), weights)
    return str(config), str(weights)
