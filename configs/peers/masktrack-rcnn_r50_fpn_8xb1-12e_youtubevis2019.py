# MMDetection's MaskTrack R-CNN and its schedule, on our data and metric
_base_ = [
    '../_base_/models/masktrack-rcnn_r50_fpn.py',
    '../_base_/datasets/youtube_vis_2019.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]

# a key frame and one other frame from within 100 frames
train_pipeline = [
    dict(type='mmcico.ClipFrameSample', method='neighbours', reach=100),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(batch_size=1, dataset=dict(num_frames=2, pipeline=train_pipeline))
# the tracker keeps its state from frame to frame
val_dataloader = dict(dataset=dict(num_frames=1, overlap=0))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=0.00125), clip_grad=dict(max_norm=35, norm_type=2))
param_scheduler = [
    dict(type='LinearLR', start_factor=1.0 / 3.0, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', begin=0, end=12, by_epoch=True, milestones=[8, 11], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=8)
