# Trains from scratch on two CPU cores in about a quarter of an hour
_base_ = [
    '../_base_/models/cico-rtmdet_demo.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]
