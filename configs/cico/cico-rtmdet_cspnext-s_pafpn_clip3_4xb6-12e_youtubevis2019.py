# Not one of the paper's models. AdamW as for RTMDet, its learning rate of 4e-3
# for 256 images brought to 24 clips of three frames.
_base_ = [
    '../_base_/models/cico-rtmdet_cspnext-s_pafpn.py',
    '../_base_/datasets/youtube_vis_2019.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
)
