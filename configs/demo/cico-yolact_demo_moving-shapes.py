# Trains from scratch on two CPU cores in about ten minutes
_base_ = [
    '../_base_/models/cico-yolact_demo.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]
