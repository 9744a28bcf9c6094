# Table 1c, T = 7, circumscribed boxes
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(bbox_head=dict(num_frames=7, assigner=dict(reach=1)), mask_head=dict(conv='2d'))

train_dataloader = dict(dataset=dict(num_frames=7))
val_dataloader = dict(dataset=dict(num_frames=7))
test_dataloader = val_dataloader
