_base_ = [
    '../_base_/models/published-cico-condinst_swin-t_fpn.py',
    './_base_/youtube_vis_2019.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]
