"""Model settings small enough for a test."""

import copy

NORM = dict(type='GN', num_groups=4)


def small_model_cfg(kind: str = 'yolact', num_frames: int = 3) -> dict:
    """A complete model of about 0.5 M parameters with four classes.

    Args:
        kind (str): ``'yolact'`` or ``'condinst'``.
        num_frames (int): T.

    Returns:
        dict: To be changed and built with ``MODELS.build``.
    """
    generators = dict(
        yolact=dict(type='mmcico.LinearMask', num_protos=16),
        condinst=dict(type='mmcico.DynamicMask'),
    )
    return copy.deepcopy(
        dict(
            type='mmcico.CiCo',
            data_preprocessor=dict(
                type='TrackDataPreprocessor',
                mean=[123.675, 116.28, 103.53],
                std=[58.395, 57.12, 57.375],
                bgr_to_rgb=True,
                pad_size_divisor=32,
            ),
            backbone=dict(type='ResNet', depth=18, base_channels=8, out_indices=(1, 2, 3)),
            neck=dict(
                type='mmcico.YolactFPN', in_channels=[16, 32, 64], out_channels=16, num_outs=3
            ),
            bbox_head=dict(
                type='mmcico.CiCoHead',
                num_classes=4,
                in_channels=16,
                num_frames=num_frames,
                embed_channels=8,
                towers=dict(channels=16, num_convs=1, norm_cfg=NORM),
                anchor_generator=dict(
                    type='AnchorGenerator',
                    scales=[3],
                    ratios=[1.0, 2.0, 0.5],
                    strides=[8, 16, 32],
                    center_offset=0.5,
                ),
            ),
            mask_head=dict(
                type='mmcico.ClipMaskHead',
                in_channels=16,
                feat_channels=16,
                norm_cfg=NORM,
                generator=generators[kind],
            ),
            tracker=dict(type='mmcico.ClipTracker'),
        )
    )
