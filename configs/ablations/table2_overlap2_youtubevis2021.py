# Table 2, YouTube-VIS 2021: two frames in common; trained as the base
_base_ = '../cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2021.py'

val_dataloader = dict(dataset=dict(overlap=2))
test_dataloader = val_dataloader
