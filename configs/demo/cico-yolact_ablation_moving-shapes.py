# A thin CiCo-Yolact that one CPU core trains in a minute or two, for the
# paper's tables on hard generated video: see configs/ablations/README.md
_base_ = [
    '../_base_/models/cico-yolact_demo.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]

# no statistics over the batch: the longer the clips, the fewer videos it holds
norm_cfg = dict(type='GN', num_groups=8, requires_grad=True)

model = dict(
    backbone=dict(base_channels=16, norm_cfg=norm_cfg),
    neck=dict(in_channels=[32, 64, 128], out_channels=32),
    bbox_head=dict(in_channels=32, towers=dict(channels=32)),
    mask_head=dict(in_channels=32, feat_channels=32),
    # the tracker with which the tables in configs/ablations/README.md were measured
    tracker=dict(_delete_=True, type='mmcico.ClipTracker', memory=4, label_weight=0.3),
)

data_root = 'data/moving_shapes_hard/'
num_steps = 450

# one process in all: a step takes a tenth of a second
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'test/instances.json')
test_evaluator = val_evaluator

train_cfg = dict(max_iters=num_steps, val_interval=num_steps)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=num_steps,
        T_max=num_steps - 50,
        eta_min_ratio=0.01,
    ),
]
default_hooks = dict(checkpoint=dict(interval=num_steps, max_keep_ckpts=1))
