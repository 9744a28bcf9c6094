_base_ = [
    '../_base_/models/cico-condinst_swin-t_fpn.py',
    '../_base_/datasets/youtube_vis_2019.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]
