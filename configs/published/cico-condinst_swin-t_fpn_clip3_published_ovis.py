_base_ = [
    '../_base_/models/published-cico-condinst_swin-t_fpn.py',
    './_base_/ovis.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]

model = dict(bbox_head={{_base_.ovis_head}})
