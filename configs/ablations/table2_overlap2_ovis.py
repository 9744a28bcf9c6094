# Table 2, OVIS: two frames in common; trained as the base
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_ovis.py'

val_dataloader = dict(dataset=dict(overlap=2))
test_dataloader = val_dataloader
