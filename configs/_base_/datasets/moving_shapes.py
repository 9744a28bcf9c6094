# Generated video, see tools/dataset_tools/make_moving_shapes.py
_base_ = './vis_clips.py'

data_root = 'data/moving_shapes/'
scale = (160, 96)

# the steps of vis_clips.py, at this size
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1].transforms[2].scale = scale
test_pipeline[1].transforms[1].scale = scale

# frames are small, and a process that loads them would take a core from the network
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        data_root=data_root,
        ann_file='train/instances.json',
        data_prefix=dict(img='train/JPEGImages'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        ann_file='test/instances.json',
        data_prefix=dict(img='test/JPEGImages'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=data_root + 'test/instances.json')
test_evaluator = val_evaluator
