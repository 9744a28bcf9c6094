_base_ = ['./published-cico-yolact_r50_fpn.py', './r101.py']

model = {{_base_.r101}}
