# Table 1b, fourth row: and in the class tower
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(
    bbox_head=dict(towers=dict(cls='3d', box='3d', track='3d'), assigner=dict(reach=0)),
    mask_head=dict(conv='2d'),
)
