# The demo model on real video, with anchors for large objects
_base_ = [
    '../_base_/models/cico-yolact_demo.py',
    '../_base_/datasets/real_video.py',
    '../_base_/schedules/schedule_demo.py',
]

model = dict(
    neck=dict(num_outs=5), bbox_head=dict(anchor_generator=dict(strides=[8, 16, 32, 64, 128]))
)
