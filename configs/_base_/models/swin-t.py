# Swin-T and all that follows from its width; 192 as in the published models
swin_t = dict(
    _delete_=True,
    type='SwinTransformer',
    embed_dims=96,
    depths=[2, 2, 6, 2],
    num_heads=[3, 6, 12, 24],
    window_size=7,
    drop_path_rate=0.2,
    out_indices=(1, 2, 3),
    convert_weights=True,
    init_cfg=dict(
        type='Pretrained',
        checkpoint='https://github.com/SwinTransformer/storage/releases/'
        'download/v1.0.0/swin_tiny_patch4_window7_224.pth',
    ),
)
swin_t_model = dict(
    backbone=swin_t,
    neck=dict(in_channels=[192, 384, 768], out_channels=192),
    bbox_head=dict(in_channels=192, towers=dict(channels=192)),
    mask_head=dict(in_channels=192, feat_channels=192),
)
