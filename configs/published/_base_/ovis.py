_base_ = ['../../_base_/datasets/ovis.py', './pipelines.py']

# head and class loss of the models for OVIS
ovis_head = dict(
    num_classes=25,
    losses=dict(
        loss_cls=dict(
            _delete_=True, type='mmcico.HardNegativeCrossEntropy', neg_pos_ratio=3, loss_weight=1.0
        )
    ),
)

train_dataloader = dict(dataset=dict(pipeline={{_base_.published_train_pipeline}}))
val_dataloader = dict(
    dataset=dict(completion='repeat', pipeline={{_base_.published_test_pipeline}})
)
test_dataloader = val_dataloader
