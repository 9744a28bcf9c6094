# CiCo-Yolact as the published weights want it, see docs/en/checkpoints.md
_base_ = './cico-yolact_r50_fpn.py'

model = dict(
    # the constants of RGB are applied to BGR, then the channels turn
    data_preprocessor=dict(
        type='mmcico.ClipDataPreprocessor',
        mean=[103.53, 116.28, 123.675],
        std=[57.375, 57.12, 58.395],
        min_size=(384, 640),
    ),
    bbox_head=dict(
        anchor_generator=dict(type='mmcico.CellAnchorGenerator'),
        bbox_coder=dict(type='mmcico.UnclampedBoxCoder'),
        assigner=dict(reach=0),
        losses=dict(
            loss_cls=dict(
                _delete_=True,
                type='FocalLoss',
                use_sigmoid=True,
                gamma=2.0,
                alpha=0.25,
                loss_weight=5.0,
            ),
            loss_iou=dict(type='DIoULoss', loss_weight=1.0),
            loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        ),
    ),
    mask_head=dict(
        upsample=dict(type='mmcico.BilinearUpsample'),
        conv_bias=True,
        crop_scale=1.1,
        min_crop=0.1,
        # 6.125 times the number of frames
        loss_mask=dict(decay=0.9, loss_weight=18.375),
    ),
    tracker=dict(_delete_=True, type='mmcico.PublishedClipTracker'),
    test_cfg=dict(
        nms=dict(type='mmcico.PublishedClipNMS'), mask_resize='crop_first', class_ties='lowest'
    ),
)
