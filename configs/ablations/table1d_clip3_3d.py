# Table 1d, T = 3, 3D mask head
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(bbox_head=dict(assigner=dict(reach=0)), mask_head=dict(conv='3d'))
