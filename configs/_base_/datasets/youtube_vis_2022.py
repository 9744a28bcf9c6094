# YouTube-VIS 2022: trains as 2021, 71 long videos more in valid
_base_ = './youtube_vis_2021.py'

data_root = 'data/youtube_vis_2022/'

train_dataloader = dict(dataset=dict(data_root=data_root, dataset_version='2022'))
val_dataloader = dict(dataset=dict(data_root=data_root, dataset_version='2022'))
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=data_root + 'valid/instances.json')
test_evaluator = val_evaluator
