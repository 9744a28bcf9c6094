"""Small networks, and made-up checkpoints of the kinds that are read."""

import os.path as osp

import mmdet
import torch
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config

from mmcico.registry import MODELS
from mmcico.testing import small_model_cfg

register_all_modules(init_default_scope=True)


def published_cfg(num_frames=3, dims='3d', num_convs=4, softmax=False, mask_dims=None, **changes):
    """A small model with every parameter of a published one.

    Without norms in the towers; batch norms, which are constants at test
    time, in the mask head.
    """
    cfg = small_model_cfg(num_frames=num_frames)
    cfg['neck']['num_outs'] = 5
    head, mask = cfg['bbox_head'], cfg['mask_head']
    head['anchor_generator']['strides'] = [8, 16, 32, 64, 128]
    head['towers'] = dict(cls='2d', box=dims, track=dims, num_convs=num_convs, channels=16)
    focal = dict(type='FocalLoss', use_sigmoid=True)
    head['losses'] = dict(loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True))
    if not softmax:
        head['losses']['loss_cls'] = focal
    mask.update(
        kind=mask_dims or dims,
        norm_cfg=dict(type='BN'),
        conv_bias=True,
        upsample=dict(type='mmcico.BilinearUpsample'),
    )
    cfg.update(changes)
    return cfg


def lively(model, seed=0):
    """Random values everywhere, also where models start with zeros."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            continue
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() > 1:
            value.copy_(noise / value[0].numel() ** 0.5)
        elif name.endswith('bias') or name.endswith('running_mean'):
            value.copy_(0.1 * noise)
        else:
            value.copy_(1 + 0.1 * noise.abs())
    return model.eval()


def build(cfg, seed=0):
    """A model in eval mode with random parameters."""
    return lively(MODELS.build(cfg), seed)


def mmdet_detector(kind, seed=0):
    """MMDetection's own YOLACT or CondInst from its config, made small."""
    name = dict(
        yolact='yolact/yolact_r50_1xb8-55e_coco.py',
        condinst='condinst/condinst_r50_fpn_ms-poly-90k_coco_instance.py',
    )
    folder = osp.join(osp.dirname(mmdet.__file__), '.mim', 'configs')
    model = Config.fromfile(osp.join(folder, name[kind])).model
    model.backbone.update(depth=18, base_channels=8, init_cfg=None)
    model.neck.update(in_channels=[8, 16, 32, 64], out_channels=16)
    model.bbox_head.update(in_channels=16, feat_channels=16)
    if kind == 'yolact':
        model.mask_head.update(in_channels=16, proto_channels=(16, 16, 16, None, 16, 32))
    else:
        # 16 channels are fewer than the norm's 32 groups
        model.bbox_head.norm_cfg = dict(type='GN', num_groups=4)
        model.mask_head.mask_feature_head.update(in_channels=16, feat_channels=8)
    return lively(MMDET_MODELS.build(model), seed)
