# Table 1b, second row: 3D convolutions in the box tower
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(
    bbox_head=dict(towers=dict(cls='2d', box='3d', track='2d'), assigner=dict(reach=0)),
    mask_head=dict(conv='2d'),
)
