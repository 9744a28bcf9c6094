# Real video in the layout of YouTube-VIS, trained and tested on the same
# videos: a check that images, sizes and lengths as they come work. The folder
# is given on the command line, see docs/en/real_video.md
_base_ = './vis_clips.py'

scale = (320, 192)

train_pipeline = [
    dict(type='mmcico.ClipFrameSample'),
    dict(
        type='TransformBroadcaster',
        share_random_params=True,
        transforms=[
            dict(type='mmcico.LoadClipFrame'),
            dict(type='mmcico.LoadClipAnnotations'),
            dict(type='Resize', scale=scale, keep_ratio=True),
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

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        data_root='data/real_video/',
        ann_file='instances.json',
        data_prefix=dict(img='JPEGImages'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/real_video/',
        ann_file='instances.json',
        data_prefix=dict(img='JPEGImages'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
