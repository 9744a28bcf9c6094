# YouTube-VIS 2022: trains as 2021, 71 long videos more in valid
_base_ = './vis_clips.py'

data_root = 'data/youtube_vis_2022/'

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        dataset_version='2022',
        ann_file='train/instances.json',
        data_prefix=dict(img='train/JPEGImages'),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        dataset_version='2022',
        ann_file='valid/instances.json',
        data_prefix=dict(img='valid/JPEGImages'),
    )
)
test_dataloader = val_dataloader

# the public file has no objects: results are written, not scored
val_evaluator = dict(ann_file=data_root + 'valid/instances.json')
test_evaluator = val_evaluator
