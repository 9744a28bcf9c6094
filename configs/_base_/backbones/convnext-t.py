# model = _base_.other_backbone takes ConvNeXt-T, 27.8 M parameters; needs "pip install mmpretrain"
other_backbone = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ConvNeXt',
        arch='tiny',
        out_indices=(1, 2, 3),
        drop_path_rate=0.2,
        layer_scale_init_value=1.0,
        gap_before_final_norm=False,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/convnext/'
            'convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth',
            prefix='backbone.',
        ),
    ),
    neck=dict(in_channels=[192, 384, 768]),
)
