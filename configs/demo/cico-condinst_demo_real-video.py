# The demo model on real video, with anchors for large objects
_base_ = [
    '../_base_/models/cico-condinst_demo.py',
    '../_base_/datasets/real_video.py', '../_base_/schedules/schedule_demo.py'
]

model = dict(
    neck=dict(num_outs=5),
    bbox_head=dict(anchor_generator=dict(strides=[8, 16, 32, 64, 128])))

max_iters = 1500
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=max_iters,
        T_max=max_iters - 100,
        eta_min_ratio=0.01)
]
