# MMDetection's Mask2Former-VIS and its schedule, on our data and metric
_base_ = [
    '../_base_/models/mask2former-vis_r50.py',
    '../_base_/datasets/youtube_vis_2019.py',
    '../_base_/default_runtime.py',
]

train_pipeline = [
    dict(type='mmcico.ClipFrameSample', method='neighbours', reach=100),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    batch_size=2,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(num_frames=2, pipeline=train_pipeline),
)
# it sees each video as a whole
val_dataloader = dict(dataset=dict(num_frames=None, overlap=0))
test_dataloader = val_dataloader

num_steps = 6000
train_cfg = dict(type='IterBasedTrainLoop', max_iters=num_steps, val_interval=num_steps)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

embed_multi = dict(lr_mult=1.0, decay_mult=0.0)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0001, weight_decay=0.05, eps=1e-8, betas=(0.9, 0.999)),
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=0.1, decay_mult=1.0),
            'query_embed': embed_multi,
            'query_feat': embed_multi,
            'level_embed': embed_multi,
        },
        norm_decay_mult=0.0,
    ),
    clip_grad=dict(max_norm=0.01, norm_type=2),
)
param_scheduler = dict(
    type='MultiStepLR', begin=0, end=num_steps, by_epoch=False, milestones=[4000], gamma=0.1
)
auto_scale_lr = dict(enable=False, base_batch_size=16)

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=2000))
log_processor = dict(by_epoch=False)
