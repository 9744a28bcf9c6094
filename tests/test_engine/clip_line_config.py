_base_ = ['../../configs/_base_/datasets/vis_clips.py', '../../configs/_base_/default_runtime.py']
custom_imports = dict(imports=['mmcico', 'clip_line_model'])
train_pipeline = [
    dict(type='mmcico.ClipFrameSample', method='neighbours'),
    dict(
        type='TransformBroadcaster',
        share_random_params=True,
        transforms=[
            dict(type='mmcico.LoadClipFrame'),
            dict(type='mmcico.LoadClipAnnotations'),
            dict(type='Resize', scale=(48, 32), keep_ratio=True),
            dict(type='RandomFlip', prob=0.5),
        ],
    ),
    dict(type='mmcico.PackClipInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='mmcico.VISDataset',
        ann_file='instances.json',
        data_prefix=dict(img='JPEGImages'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = None
val_evaluator = None
test_dataloader = None
test_evaluator = None
model = dict(
    type='ClipLine', data_preprocessor=dict(type='TrackDataPreprocessor', mean=None, std=None)
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.001, momentum=0.9))
param_scheduler = [dict(type='ConstantLR', factor=1.0)]
default_hooks = dict(logger=dict(interval=5), checkpoint=dict(max_keep_ckpts=-1))
