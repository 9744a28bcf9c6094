# A small CiCo-Yolact that two CPU cores train in minutes, from scratch
_base_ = './cico-yolact_r50_fpn.py'

norm_cfg = dict(type='GN', num_groups=8, requires_grad=True)

model = dict(
    backbone=dict(depth=18, base_channels=32, frozen_stages=-1, norm_eval=False, init_cfg=None),
    neck=dict(in_channels=[64, 128, 256], out_channels=64, num_outs=3),
    bbox_head=dict(
        num_classes=4,
        in_channels=64,
        embed_channels=32,
        towers=dict(num_convs=2, channels=64, norm_cfg=norm_cfg),
        anchor_generator=dict(strides=[8, 16, 32]),
        losses=dict(
            loss_cls=dict(
                _delete_=True,
                type='FocalLoss',
                use_sigmoid=True,
                gamma=2.0,
                alpha=0.25,
                loss_weight=5.0,
            ),
            loss_track=dict(loss_weight=1.0),
        ),
    ),
    mask_head=dict(in_channels=64, feat_channels=64, norm_cfg=norm_cfg),
    # linking by evidence, see docs/en/linking.md
    tracker=dict(_delete_=True, type='mmcico.EvidenceTracker'),
)
