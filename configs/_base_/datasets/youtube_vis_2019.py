# YouTube-VIS 2019: 40 classes, 2238 / 302 videos
_base_ = './vis_clips.py'

data_root = 'data/youtube_vis_2019/'

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        dataset_version='2019',
        ann_file='train.json',
        data_prefix=dict(img='train/JPEGImages'),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        dataset_version='2019',
        ann_file='valid.json',
        data_prefix=dict(img='valid/JPEGImages'),
    )
)
test_dataloader = val_dataloader

# the public file has no objects: results are written, not scored
val_evaluator = dict(ann_file=data_root + 'valid.json')
test_evaluator = val_evaluator
