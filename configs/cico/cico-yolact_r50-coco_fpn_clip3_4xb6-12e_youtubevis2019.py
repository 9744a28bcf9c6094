# Starts from MMDetection's YOLACT, trained on the images of COCO; which other
# checkpoints can stand here: docs/en/checkpoints.md
_base_ = './cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(
    init_cfg=dict(
        type='mmcico.InflatedPretrained',
        checkpoint='https://download.openmmlab.com/mmdetection/v2.0/yolact/'
        'yolact_r50_8x8_coco/yolact_r50_8x8_coco_20200908-ca34f5db.pth',
    ),
    backbone=dict(init_cfg=None),
)
