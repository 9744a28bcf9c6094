_base_ = ['./published-cico-yolact_r50_fpn.py', './swin-t.py']

# unlike CiCo-CondInst, whose neck has 192 channels
model = dict(backbone={{_base_.swin_t}}, neck=dict(in_channels=[192, 384, 768], out_channels=256))
