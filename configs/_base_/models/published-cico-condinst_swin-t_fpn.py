_base_ = ['./published-cico-condinst_r50_fpn.py', './swin-t.py']

model = {{_base_.swin_t_model}}
