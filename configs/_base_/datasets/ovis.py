# OVIS: 25 classes, 607 / 140 long videos with much occlusion
_base_ = './vis_clips.py'

data_root = 'data/ovis/'

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        dataset_version='ovis',
        ann_file='annotations_train.json',
        data_prefix=dict(img='train'),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        dataset_version='ovis',
        ann_file='annotations_valid.json',
        data_prefix=dict(img='valid'),
    )
)
test_dataloader = val_dataloader

# the public file has no objects: results are written, not scored
val_evaluator = dict(ann_file=data_root + 'annotations_valid.json')
test_evaluator = val_evaluator
