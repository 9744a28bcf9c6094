# Fig. 5, YouTube-VIS 2021, T = 2
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2021.py'

model = dict(bbox_head=dict(num_frames=2))

train_dataloader = dict(dataset=dict(num_frames=2))
val_dataloader = dict(dataset=dict(num_frames=2))
test_dataloader = val_dataloader
