# CiCo-Yolact as in the paper, T = 3, with the 40 classes of YouTube-VIS
model = dict(
    type='mmcico.CiCo',
    data_preprocessor=dict(
        type='TrackDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=True,
        style='pytorch',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth',
        ),
    ),
    neck=dict(type='mmcico.YolactFPN', in_channels=[512, 1024, 2048], out_channels=256, num_outs=5),
    bbox_head=dict(
        type='mmcico.CiCoHead',
        num_classes=40,
        in_channels=256,
        num_frames=3,
        embed_channels=64,
        towers=dict(cls='2d', box='3d', track='3d', num_convs=4, channels=256),
        anchor_generator=dict(
            type='AnchorGenerator',
            scales=[3],
            ratios=[1.0, 2.0, 0.5],
            strides=[8, 16, 32, 64, 128],
            center_offset=0.5,
        ),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2)),
        assigner=dict(
            type='mmcico.CircumscribedAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4, reach=1
        ),
        losses=dict(
            loss_cls=dict(type='mmcico.HardNegativeCrossEntropy', neg_pos_ratio=3, loss_weight=1.0),
            loss_bbox=dict(type='SmoothL1Loss', beta=1.0, loss_weight=1.0),
            loss_track=dict(type='mmcico.PairTrackLoss', loss_weight=5.0),
        ),
    ),
    mask_head=dict(
        type='mmcico.ClipMaskHead',
        in_channels=256,
        feat_channels=256,
        conv='3d',
        generator=dict(type='mmcico.LinearMask', num_protos=32),
        upsample=dict(type='mmcico.DeconvUpsample'),
        norm_cfg=dict(type='BN'),
        crop_scale=1.0,
        loss_mask=dict(type='mmcico.ClipSegLoss', loss_weight=6.125),
    ),
    tracker=dict(
        type='mmcico.ClipTracker',
        embed_weight=1.0,
        mask_weight=1.0,
        box_weight=1.0,
        match_thr=1.0,
        matching=dict(type='mmcico.GreedyMatching'),
    ),
    test_cfg=dict(
        nms=dict(type='mmcico.ClipNMS', score_thr=0.1, nms_thr=0.5), overlap_masks='later'
    ),
)
