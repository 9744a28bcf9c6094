_base_ = [
    '../_base_/models/cico-condinst_swin-t_fpn.py',
    '../_base_/datasets/ovis.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]

model = dict(bbox_head=dict(num_classes=25))
