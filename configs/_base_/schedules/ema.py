# Exponential moving average of the weights: tests and checkpoints use the mean
custom_hooks = [
    dict(type='mmcico.ClassCheckHook'),
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, priority=49),
]
