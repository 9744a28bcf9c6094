_base_ = '../default_runtime.py'

num_steps = 1500

train_cfg = dict(type='IterBasedTrainLoop', max_iters=num_steps, val_interval=num_steps)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=100,
        end=num_steps,
        T_max=num_steps - 100,
        eta_min_ratio=0.01,
    ),
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.01, fused=True),
    clip_grad=dict(max_norm=10.0),
)

default_hooks = dict(checkpoint=dict(by_epoch=False, interval=500))
log_processor = dict(by_epoch=False)
