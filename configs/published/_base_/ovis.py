_base_ = ['../../_base_/datasets/ovis.py', './pipelines.py']

train_dataloader = dict(dataset=dict(pipeline={{_base_.published_train_pipeline}}))
val_dataloader = dict(
    dataset=dict(completion='repeat', pipeline={{_base_.published_test_pipeline}})
)
test_dataloader = val_dataloader
