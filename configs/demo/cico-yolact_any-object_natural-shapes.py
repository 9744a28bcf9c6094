# One class, "object": the model that `mmcico predict` uses without weights. It is trained from
# scratch on generated video that resembles real video (tools/dataset_tools/make_natural_shapes.py).
_base_ = [
    '../_base_/models/cico-yolact_demo.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]

data_root = 'data/natural_shapes/'
scale = (288, 160)

# fewer channels, so that the weights at half precision fit into 6 MB; motion tells objects from
# their surroundings, so that the class tower sees all frames of a clip
model = dict(
    backbone=dict(base_channels=24),
    neck=dict(in_channels=[48, 96, 192], num_outs=4),
    bbox_head=dict(
        num_classes=1,
        towers=dict(cls='3d', track='2d'),
        anchor_generator=dict(strides=[8, 16, 32, 64]),
    ),
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
                scales=[(256, 144), (288, 160), (320, 180)],
                keep_ratio=True,
            ),
            dict(type='RandomFlip', prob=0.5),
        ],
    ),
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
    dict(type='mmcico.PackClipInputs'),
]
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'test/instances.json')
test_evaluator = val_evaluator
