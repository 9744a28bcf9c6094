_base_ = ['./cico-yolact_r50_fpn.py', './swin-t.py']

model = dict(
    backbone={{_base_.swin_t}},
    neck=dict(in_channels=[192, 384, 768], out_channels=192),
    bbox_head=dict(in_channels=192, towers=dict(channels=192)),
    mask_head=dict(in_channels=192, feat_channels=192),
)
