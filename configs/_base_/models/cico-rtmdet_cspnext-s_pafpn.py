# CiCo-RTMDet: an anchor-free third model, RTMDet-Ins made clip-level by the
# recipe of docs/en/add_your_own.md. Backbone and neck of RTMDet-Ins-s; one
# square cell a place; distances to the boxes of all frames; dynamic masks.
_base_ = './cico-condinst_r50_fpn.py'

checkpoint = (
    'https://download.openmmlab.com/mmdetection/v3.0/rtmdet/'
    'cspnext_rsb_pretrain/cspnext-s_imagenet_600e.pth'
)
norm_cfg = dict(type='BN', momentum=0.03, eps=0.001)
act_cfg = dict(type='SiLU', inplace=True)
tower_norm_cfg = dict(type='GN', num_groups=32, requires_grad=True)

model = dict(
    # the checkpoint wants BGR
    data_preprocessor=dict(
        mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False
    ),
    backbone=dict(
        _delete_=True,
        type='CSPNeXt',
        arch='P5',
        expand_ratio=0.5,
        deepen_factor=0.33,
        widen_factor=0.5,
        channel_attention=True,
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
        init_cfg=dict(type='Pretrained', prefix='backbone.', checkpoint=checkpoint),
    ),
    neck=dict(
        _delete_=True,
        type='CSPNeXtPAFPN',
        in_channels=[128, 256, 512],
        out_channels=128,
        num_csp_blocks=1,
        expand_ratio=0.5,
        norm_cfg=norm_cfg,
        act_cfg=act_cfg,
    ),
    bbox_head=dict(
        in_channels=128,
        towers=dict(num_convs=2, channels=128, norm_cfg=tower_norm_cfg),
        anchor_generator=dict(scales=[1], ratios=[1.0], strides=[8, 16, 32]),
        bbox_coder=dict(_delete_=True, type='mmcico.CellDistanceCoder', base=2.0),
        assigner=dict(
            _delete_=True, type='mmcico.CentreAssigner', radius=1.5, cells=4, octaves=1.0, reach=1
        ),
        losses=dict(
            loss_cls=dict(
                _delete_=True, type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0
            ),
            loss_bbox=None,
            loss_iou=dict(type='GIoULoss', loss_weight=2.0),
        ),
    ),
    mask_head=dict(
        in_channels=128,
        feat_channels=128,
        proto_act_cfg=None,
        loss_mask=dict(loss_weight=2.0),
        loss_dice=dict(type='mmcico.ClipDiceLoss', loss_weight=2.0),
    ),
)
