# model = _base_.other_backbone takes PVTv2-B2, 24.8 M parameters
other_backbone = dict(
    backbone=dict(
        _delete_=True,
        type='PyramidVisionTransformerV2',
        embed_dims=64,
        num_layers=[3, 4, 6, 3],
        out_indices=(1, 2, 3),
        drop_path_rate=0.1,
        init_cfg=dict(
            checkpoint='https://github.com/whai362/PVT/releases/download/v2/pvt_v2_b2.pth'
        ),
    ),
    neck=dict(in_channels=[128, 320, 512]),
)
