# A small MaskTrack R-CNN for generated video, with the backbone of the CiCo demos, from scratch
_base_ = [
    '../_base_/models/masktrack-rcnn_r50_fpn.py',
    '../_base_/datasets/moving_shapes.py',
    '../_base_/schedules/schedule_demo.py',
]

roi_layers = dict(out_channels=64)
model = dict(
    detector=dict(
        backbone=dict(depth=18, base_channels=32, frozen_stages=-1, norm_eval=False, init_cfg=None),
        neck=dict(in_channels=[32, 64, 128, 256], out_channels=64),
        rpn_head=dict(in_channels=64, feat_channels=64),
        roi_head=dict(
            bbox_roi_extractor=roi_layers,
            bbox_head=dict(in_channels=64, fc_out_channels=256, num_classes=4),
            mask_roi_extractor=roi_layers,
            mask_head=dict(in_channels=64, conv_out_channels=64, num_classes=4),
        ),
        init_cfg=None,
    ),
    track_head=dict(roi_extractor=roi_layers, embed_head=dict(in_channels=64, fc_out_channels=256)),
)

# a key frame and one other frame from within 100 frames
train_pipeline = [
    dict(type='mmcico.ClipFrameSample', method='neighbours', reach=100),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(dataset=dict(num_frames=2, pipeline=train_pipeline))
# the tracker keeps its state from frame to frame
val_dataloader = dict(dataset=dict(num_frames=1, overlap=0))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=0.0005))
