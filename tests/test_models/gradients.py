"""Gradients of a batch that is shared out over processes."""

import torch
from mmengine.dist import get_dist_info
from mmengine.registry import MODELS, init_default_scope

import mmcico.models  # noqa: F401
from mmcico.testing import clip_sample, small_model_cfg

FOCAL = dict(type='FocalLoss', use_sigmoid=True, loss_weight=5.0)
QUALITY = dict(type='QualityFocalLoss', use_sigmoid=True)

#: name -> model, losses of the box head, loss_dice
VARIANTS = dict(
    paper=('yolact', {}, None),
    focal=('condinst', dict(loss_cls=FOCAL, loss_iou=dict(type='DIoULoss')), 'mmcico.ClipDiceLoss'),
    quality=('yolact', dict(loss_cls=QUALITY), None),
)

#: objects of each frame, video: clips of a video are in different halves and thirds
CLIPS = [
    ([[0, 1], [0, 1], [0, 1]], 1),
    ([[2], [2], [2, 3]], 2),
    ([[0, 2], [0, 2], [2]], 1),
    ([[4, 5], [4], [4]], 'text'),
    ([[], [], []], 3),
    ([[], [], []], 4),
]


def build(name):
    """The model of a variant, with the same weights everywhere."""
    kind, losses, dice = VARIANTS[name]
    cfg = small_model_cfg(kind)
    cfg['backbone'].update(norm_cfg=dict(type='BN', requires_grad=False), norm_eval=True)
    cfg['bbox_head'].setdefault('losses', {}).update(losses)
    if dice:
        cfg['mask_head']['loss_dice'] = dict(type=dice)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    # far from the start, where all losses of the background are alike
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return model.train()


def batch(count):
    """The first clips: inputs (B, T, 3, H, W) and samples."""
    torch.manual_seed(1)
    inputs = torch.randn(len(CLIPS), 3, 3, 96, 160)[:count]
    samples = [clip_sample(seen, video_id=video) for seen, video in CLIPS[:count]]
    return inputs, samples


def gradients(name, count):
    """Gradients and losses of this process's share, mean over the processes."""
    rank, size = get_dist_info()
    inputs, samples = batch(count)
    mine = slice(rank * count // size, (rank + 1) * count // size)
    model = whole = build(name)
    if size > 1:
        whole = torch.nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)
    losses = whole(inputs[mine], samples[mine], mode='loss')
    torch.stack([each.sum() for each in losses.values()]).sum().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def save_gradients(folder):
    """Save the gradients of all variants, as one of the processes of a group."""
    init_default_scope('mmdet')
    torch.distributed.init_process_group('gloo')
    rank, size = get_dist_info()
    for name in VARIANTS:
        found = gradients(name, 2 * size)
        if rank == 0:
            torch.save(found, folder / f'{name}.pth')
    torch.distributed.destroy_process_group()
