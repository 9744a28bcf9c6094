# model = _base_.other_backbone takes CSPNeXt-T, the backbone of RTMDet
_base_ = './cspnext-s.py'

other_backbone = dict(
    backbone=dict(
        deepen_factor=0.167,
        widen_factor=0.375,
        init_cfg=dict(
            checkpoint='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/'
            'cspnext_rsb_pretrain/cspnext-tiny_imagenet_600e.pth'
        ),
    ),
    neck=dict(in_channels=[96, 192, 384]),
)
