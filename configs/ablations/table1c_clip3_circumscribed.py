# Table 1c, T = 3, circumscribed boxes
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(bbox_head=dict(assigner=dict(reach=1)), mask_head=dict(conv='2d'))
