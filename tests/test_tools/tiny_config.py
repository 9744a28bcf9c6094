"""A config of two processes' worth of work and no pictures."""

custom_imports = dict(imports=['tiny_model'])
default_scope = 'mmdet'
model = dict(type='TinyModel')
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='TinyDataset', length=8),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='TinyDataset', length=5),
)
train_cfg = dict(by_epoch=True, max_epochs=2)
test_cfg = dict()
test_evaluator = dict(type='TinyMetric')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
param_scheduler = [dict(type='MultiStepLR', milestones=[1])]
auto_scale_lr = dict(enable=False, base_batch_size=8)
default_hooks = dict(logger=dict(type='mmcico.MasterLoggerHook', interval=1))
env_cfg = dict(dist_cfg=dict(backend='nccl'))
randomness = dict(seed=1)
