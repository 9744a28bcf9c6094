# Table 1b, third row: and in the track tower; Tables 1c and 1d, first row
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(
    bbox_head=dict(towers=dict(cls='2d', box='3d', track='3d'), assigner=dict(reach=0)),
    mask_head=dict(conv='2d'),
)
