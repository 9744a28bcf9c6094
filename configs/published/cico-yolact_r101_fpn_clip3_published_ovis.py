_base_ = [
    '../_base_/models/published-cico-yolact_r101_fpn.py',
    './_base_/ovis.py',
    '../_base_/schedules/schedule_12e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    bbox_head=dict(
        num_classes=25,
        losses=dict(
            loss_cls=dict(
                _delete_=True,
                type='mmcico.HardNegativeCrossEntropy',
                neg_pos_ratio=3,
                loss_weight=1.0,
            )
        ),
    )
)
