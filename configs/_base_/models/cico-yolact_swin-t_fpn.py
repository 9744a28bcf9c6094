_base_ = ['./cico-yolact_r50_fpn.py', './swin-t.py']

model = {{_base_.swin_t_model}}
