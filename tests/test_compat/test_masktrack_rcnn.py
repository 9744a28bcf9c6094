"""MMDetection's own VIS model runs on the PyTorch operators."""

import os.path as osp

import mmdet
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.testing import demo_track_inputs
from mmengine.config import Config
from mmengine.registry import init_default_scope

CONFIG = osp.join(
    osp.dirname(mmdet.__file__),
    '.mim',
    'configs',
    'masktrack_rcnn',
    'masktrack-rcnn_mask-rcnn_r50_fpn_8xb1-12e_youtubevis2019.py',
)


@pytest.fixture(scope='module')
def model():
    cfg = Config.fromfile(CONFIG)
    init_default_scope('mmdet')
    detector = cfg.model.detector
    detector.pop('init_cfg')
    detector.backbone.update(depth=18, init_cfg=None)
    detector.neck.in_channels = [64, 128, 256, 512]
    detector.test_cfg.rcnn.update(score_thr=0.0, max_per_img=5)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model


def test_one_loss_and_backward(model):
    packed = demo_track_inputs(
        batch_size=1,
        num_frames=2,
        key_frames_inds=[0],
        image_shapes=(3, 64, 96),
        num_classes=40,
        with_mask=True,
    )
    losses = model.loss(**model.data_preprocessor(packed, True))
    total = sum(
        torch.as_tensor(part).sum()
        for name, value in losses.items()
        if 'loss' in name
        for part in (value if isinstance(value, list) else [value])
    )
    total.backward()
    assert torch.isfinite(total) and total > 0
    # the gradient passes RoIAlign: the neck learns from the box head
    grad = model.detector.neck.fpn_convs[0].conv.weight.grad
    assert torch.isfinite(grad).all() and grad.abs().sum() > 0


def test_one_predict(model):
    packed = demo_track_inputs(
        batch_size=1, num_frames=2, image_shapes=(3, 64, 96), num_classes=40, with_mask=True
    )
    model.eval()
    with torch.no_grad():
        (sample,) = model.predict(**model.data_preprocessor(packed, False))
    frames = [frame.pred_track_instances for frame in sample]
    assert len(frames) == 2
    for tracks in frames:
        assert 1 <= len(tracks) <= 5
        assert tracks.masks.dtype == torch.bool
        assert len(set(tracks.instances_id.tolist())) == len(tracks)
