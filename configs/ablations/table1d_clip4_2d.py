# Table 1d, T = 4, 2D mask head
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(bbox_head=dict(num_frames=4, assigner=dict(reach=0)), mask_head=dict(conv='2d'))

train_dataloader = dict(dataset=dict(num_frames=4))
val_dataloader = dict(dataset=dict(num_frames=4))
test_dataloader = val_dataloader
