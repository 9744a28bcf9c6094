# Section 4 of the paper: 12 epochs, 24 clips a step (4 GPUs of 6)
# Public validation sets have no annotations: validation writes a submission,
# once at the end. Lower val_interval with a local split.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=12)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', begin=0, end=12, by_epoch=True, milestones=[8, 10], gamma=0.1),
]

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0001)
)

auto_scale_lr = dict(enable=False, base_batch_size=24)
