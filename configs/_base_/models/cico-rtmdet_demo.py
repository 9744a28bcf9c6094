# A small CiCo-RTMDet that two CPU cores train in minutes, from scratch
_base_ = './cico-rtmdet_cspnext-s_pafpn.py'

norm_cfg = dict(type='GN', num_groups=8, requires_grad=True)

model = dict(
    backbone=dict(deepen_factor=0.167, widen_factor=0.25, init_cfg=None),
    neck=dict(in_channels=[64, 128, 256], out_channels=64),
    bbox_head=dict(
        num_classes=4,
        in_channels=64,
        embed_channels=32,
        towers=dict(channels=64, norm_cfg=norm_cfg),
        losses=dict(loss_track=dict(loss_weight=1.0)),
    ),
    mask_head=dict(in_channels=64, feat_channels=64, norm_cfg=norm_cfg),
    # linking by evidence, see docs/en/linking.md
    tracker=dict(_delete_=True, type='mmcico.EvidenceTracker'),
)
