# One class, "object", trained from scratch on generated video that resembles real video
# (tools/dataset_tools/make_natural_shapes.py). docs/en/any_object.md has its figures.
_base_ = [
    '../_base_/models/cico-yolact_demo.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]

data_root = 'data/natural_shapes/'
# a little more than in training, since masks are finer there
scale = (256, 144)

# scores are low on real video, which the model has not been trained on
shown_score = 0.1

# fewer channels, so that the weights at half precision fit into 6 MB; motion tells objects from
# their surroundings, so that the class tower sees all frames of a clip
model = dict(
    # brightness and motion, see mmcico.ClipMotion
    data_preprocessor=dict(mean=[128.0] * 3, std=[64.0] * 3, bgr_to_rgb=False),
    backbone=dict(base_channels=24),
    neck=dict(in_channels=[48, 96, 192], num_outs=4),
    bbox_head=dict(
        num_classes=1,
        towers=dict(cls='3d', track='2d'),
        anchor_generator=dict(strides=[8, 16, 32, 64]),
    ),
    # boxes fit objects of real video less well than those of training, so that masks are cut
    # further outside; whole outlines count, not the share of pixels
    mask_head=dict(crop_scale=1.5, loss_dice=dict(type='mmcico.ClipDiceLoss', loss_weight=3.0)),
)

train_pipeline = [
    dict(type='mmcico.ClipFrameSample'),
    dict(
        type='TransformBroadcaster',
        share_random_params=True,
        transforms=[
            dict(type='mmcico.LoadClipFrame'),
            dict(type='mmcico.LoadClipAnnotations'),
            dict(type='PhotoMetricDistortion'),
            dict(
                type='RandomChoiceResize',
                scales=[(176, 104), (208, 120), (240, 136)],
                keep_ratio=True,
            ),
            dict(type='RandomFlip', prob=0.5),
        ],
    ),
    dict(type='mmcico.ClipMotion'),
    dict(type='mmcico.PackClipInputs'),
]
test_pipeline = [
    dict(type='mmcico.ClipFrameSample'),
    dict(
        type='TransformBroadcaster',
        transforms=[
            dict(type='mmcico.LoadClipFrame'),
            dict(type='Resize', scale=scale, keep_ratio=True),
        ],
    ),
    dict(type='mmcico.ClipMotion'),
    dict(type='mmcico.PackClipInputs'),
]
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'test/instances.json')
test_evaluator = val_evaluator

num_steps = 3600
train_cfg = dict(max_iters=num_steps, val_interval=num_steps)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=num_steps - 1500,
        end=num_steps,
        T_max=1500,
        eta_min_ratio=0.01,
    ),
]
# tests and checkpoints use the mean of the weights of the last steps
custom_hooks = [
    dict(type='mmcico.ClassCheckHook'),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.004, priority=49),
]
default_hooks = dict(checkpoint=dict(interval=300))
