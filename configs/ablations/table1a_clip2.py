# Table 1a, T = 2, with the clip-level loss
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

model = dict(
    bbox_head=dict(
        num_frames=2, towers=dict(cls='2d', box='2d', track='2d'), assigner=dict(reach=0)
    ),
    mask_head=dict(conv='2d', loss_mask=dict(decay=1.0)),
)

train_dataloader = dict(dataset=dict(num_frames=2))
val_dataloader = dict(dataset=dict(num_frames=2))
test_dataloader = val_dataloader
