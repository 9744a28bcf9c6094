"""Small models with opinions, and video for them."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcico.models.vis.clip_network import VideoState
from mmcico.registry import MODELS
from mmcico.testing import small_model_cfg

CONFIGS = Path(__file__).parents[2] / 'configs' / 'cico'
SWIN = dict(
    type='SwinTransformer',
    embed_dims=8,
    depths=[1, 2, 1, 1],  # the second layer of a stage shifts its windows
    num_heads=[1, 2, 4, 4],
    window_size=7,
    out_indices=(1, 2, 3),
)
#: kinds of small models that are exported
KINDS = ['yolact', 'condinst', 'published', 'swin', 'central']


def full_cfg(name):
    """Config of one of the paper's models, without pretrained weights."""
    path = CONFIGS / f'cico-{name}_fpn_clip3_4xb6-12e_youtubevis2019.py'
    cfg = Config.fromfile(path)
    cfg.model.backbone.init_cfg = None
    return cfg


def need_onnx():
    """Skip, and say so, where the optional packages are missing."""
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')


def small_cfg(kind='yolact'):
    """Config of a small model of every sort that differs when exported."""
    model = small_model_cfg('condinst' if kind == 'condinst' else 'yolact')
    head, masks = model['bbox_head'], model['mask_head']
    if kind == 'swin':
        model['backbone'] = dict(SWIN)
    if kind == 'central':
        head.update(query_frames='central')
    if kind == 'published':
        head['anchor_generator'].update(type='mmcico.CellAnchorGenerator')
        head['losses'] = dict(
            loss_cls=dict(type='FocalLoss', use_sigmoid=True),
            loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True),
        )
        masks.update(norm_cfg=None, upsample=dict(type='mmcico.BilinearUpsample'))
        head['anchor_generator']['strides'] = [8, 16, 32, 64, 128]
        model['neck']['num_outs'] = 5
    return Config(dict(model=model, default_scope='mmdet'))


def build(cfg, quantile=0.99):
    """A model with random weights that finds something in any frame."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    # untrained class layers say the same everywhere, masks may be empty
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.2)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    if model.bbox_head.centerness_layer is not None:
        torch.nn.init.constant_(model.bbox_head.centerness_layer.bias, 9.0)
    model.nms.score_thr = threshold(model, quantile)
    model.nms.min_share = 0
    return model


@torch.no_grad()
def threshold(model, quantile):
    """A score that the given share of rows does not pass."""
    outputs, _ = model(video(model.num_frames)[None], mode='tensor')
    best = model.bbox_head.class_scores(outputs.cls_scores).amax(-1)
    return best.flatten().quantile(quantile).item()


def video(frames=7, size=(96, 160)):
    """(F, 3, H, W) noise."""
    g = torch.Generator().manual_seed(1)
    return torch.randn(frames, 3, *size, generator=g)


def run(model, frames, overlap=1):
    """Instances of all clips of a video."""
    state, clips = VideoState(), []
    step = model.num_frames - overlap
    for first in range(0, len(frames) - model.num_frames + 1, step):
        ids = tuple(range(first, first + model.num_frames))
        state, clip = model.step(state, frames[list(ids)], ids, step)
        clips.append(clip)
    return clips
