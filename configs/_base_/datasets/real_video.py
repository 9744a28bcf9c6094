# Real video in the layout of YouTube-VIS, trained and tested on the same
# videos: a check that images, sizes and lengths as they come work. The folder
# is given on the command line, see docs/en/real_video.md
_base_ = './vis_clips.py'

scale = (320, 192)

# the steps of vis_clips.py, at this size
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1].transforms[2].scale = scale
test_pipeline[1].transforms[1].scale = scale

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
