# A small Mask2Former-VIS for generated video, with the backbone of the CiCo demos, from scratch
_base_ = [
    '../_base_/models/mask2former-vis_r50.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]

num_classes = 4
attention = dict(embed_dims=64, num_heads=4)
model = dict(
    backbone=dict(
        depth=18,
        base_channels=32,
        norm_cfg=dict(requires_grad=True),
        norm_eval=False,
        init_cfg=None,
    ),
    track_head=dict(
        in_channels=[32, 64, 128, 256],
        feat_channels=64,
        out_channels=64,
        num_classes=num_classes,
        num_queries=20,
        pixel_decoder=dict(
            norm_cfg=dict(num_groups=8),
            encoder=dict(
                num_layers=2,
                layer_cfg=dict(
                    self_attn_cfg=attention, ffn_cfg=dict(embed_dims=64, feedforward_channels=256)
                ),
            ),
            positional_encoding=dict(num_feats=32),
        ),
        positional_encoding=dict(num_feats=32),
        transformer_decoder=dict(
            num_layers=3,
            layer_cfg=dict(
                self_attn_cfg=attention,
                cross_attn_cfg=attention,
                ffn_cfg=dict(embed_dims=64, feedforward_channels=256),
            ),
        ),
        loss_cls=dict(class_weight=[1.0] * num_classes + [0.1]),
        train_cfg=dict(num_points=1024),
    ),
    init_cfg=None,
)

train_pipeline = [
    dict(type='mmcico.ClipFrameSample', method='neighbours', reach=100),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(dataset=dict(num_frames=2, pipeline=train_pipeline))
# it sees each video as a whole
val_dataloader = dict(dataset=dict(num_frames=None, overlap=0))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=0.0005))
