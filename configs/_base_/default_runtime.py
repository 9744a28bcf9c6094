default_scope = 'mmdet'
custom_imports = dict(imports=['mmcico.registry'], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='mmcico.MasterLoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # whole files, finite weights, a resumable training: docs/en/training.md
    checkpoint=dict(type='mmcico.WholeCheckpointHook', interval=1, max_keep_ckpts=2),
    finite=dict(type='mmcico.FiniteTrainingHook'),
    reproducible=dict(type='mmcico.ReproducibleHook'),
    # validation and test refuse weights that do not fit
    weights_fit=dict(type='mmcico.WeightsFitHook'),
    # less memory where batch norms are frozen
    frozen_norms=dict(type='mmcico.FrozenNormHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='mmcico.ClipVisualizationHook', draw=False),
)

custom_hooks = [dict(type='mmcico.ClassCheckHook')]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='TrackLocalVisualizer', vis_backends=vis_backends, name='visualizer')

log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
