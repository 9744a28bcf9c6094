"""Text of the configs that :mod:`mmcico.apis.config_writer` writes."""

TEMPLATE = """\
# Written by "mmcico finetune" for a start from
#   {base.name}
# Change what you like, then train it with "mmcico train".
# base.py has the model and the settings that are not here.
_base_ = './base.py'

work_dir = {work_dir!r}

# {data.counts}
images = {data.images!r}
train_file = {data.train_file!r}
valid_file = {data.valid_file!r}
classes = {data.classes!r}

# frames are resized to fit into this long and short side; of the objects, 90 % then have
# sides from {made.sides[0]:.0f} to {made.sides[1]:.0f} pixels
scale = {made.scale!r}
test_scale = {made.test_scale!r}  # masks are finer in larger frames; those of scale are faster
num_frames = {num_frames}  # of a clip
batch_size = {made.batch_size}  # clips of a step

{model}

# {plan.num_steps} steps are {plan.epochs:.0f} passes over the training frames;
# the learning rate rises for warm_up steps and then falls to the end
num_steps = {plan.num_steps}
warm_up = {plan.warm_up}
learning_rate = {rate:g}
load_from = {base.weights!r}

flips = {made.flips[1]!r}
flip_probs = {made.flips[0]!r}
clip_pipeline = [
    dict(type='mmcico.ClipFrameSample'),
    dict(
        type='TransformBroadcaster',
        share_random_params=True,
        transforms=[
            dict(type='mmcico.LoadClipFrame'),
            dict(type='mmcico.LoadClipAnnotations'),
            # colours, which stay recognisable
            dict(
                type='YOLOXHSVRandomAug', hue_delta=8, saturation_delta=50, value_delta=60
            ),
            dict(type='RandomResize', scale=scale, ratio_range=(0.8, 1.25), keep_ratio=True),
            dict(type='RandomFlip', prob=flip_probs, direction=flips),
        ],
    ),
]
train_pipeline = [
    # objects of a second clip; leave it out if their places or neighbours tell their classes
    dict(type='mmcico.ClipCopyPaste', prob=0.5, max_objects=2),
{clip_steps}    dict(type='mmcico.PackClipInputs'),
]
test_pipeline = [
    dict(type='mmcico.ClipFrameSample'),
    dict(
        type='TransformBroadcaster',
        transforms=[
            dict(type='mmcico.LoadClipFrame'),
            dict(type='Resize', scale=test_scale, keep_ratio=True),
        ],
    ),
{clip_steps}    dict(type='mmcico.PackClipInputs'),
]
train_dataloader = dict(
    batch_size=batch_size,
    num_workers={made.num_workers},
    persistent_workers={persistent},
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='MultiImageMixDataset',  # it has the second clip for ClipCopyPaste
        dataset=dict(
            type='mmcico.VISDataset',
            ann_file=train_file,
            data_prefix=dict(img=images),
            metainfo=dict(classes=classes),
            num_frames=num_frames,
            pipeline=clip_pipeline,
        ),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers={made.num_workers},
    persistent_workers={persistent},
    drop_last=False,
    sampler=dict(type='mmcico.VideoSampler'),
    dataset=dict(
        type='mmcico.VISDataset',
        ann_file=valid_file,
        data_prefix=dict(img=images),
        metainfo=dict(classes=classes),
        num_frames=num_frames,
        overlap={overlap},
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmcico.VISMetric', ann_file=valid_file)
test_evaluator = val_evaluator

train_cfg = dict(type='IterBasedTrainLoop', max_iters=num_steps, val_interval=num_steps)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=warm_up),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=warm_up,
        end=num_steps,
        T_max=num_steps - warm_up,
        eta_min_ratio=0.01,
    ),
]
optim_wrapper = dict(
    type={made.wrapper!r},
    optimizer=dict(type='AdamW', lr=learning_rate, weight_decay=0.01, fused=True),
    clip_grad=dict(max_norm=10.0),
)
custom_hooks = [
    dict(type='mmcico.ClassCheckHook'),
    dict(type='mmcico.ChannelsLastHook'),  # faster on a CPU
]
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=max(1, num_steps // 4)), logger=dict(interval=20)
)
log_processor = dict(by_epoch=False)
"""
