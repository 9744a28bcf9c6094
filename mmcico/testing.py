"""Small models and clips for tests and documentation.

The clips show squares that move, as the data pipeline would pack them.
"""

import copy
from collections.abc import Sequence
from pathlib import Path

import mmcico.compat  # noqa: F401

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmcico.registry import MODELS

NORM = dict(type='GN', num_groups=4)
CLASSES = ('disc', 'box', 'star', 'ring')


def small_model_cfg(kind: str = 'yolact', num_frames: int = 3) -> dict:
    """Return the settings of a complete model of about 0.5 M parameters with four classes.

    The kind is ``'yolact'`` or ``'condinst'``, ``num_frames`` is T.
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


def small_inference_cfg(kind: str = 'yolact') -> Config:
    """Return a config with all settings that :class:`CiCoInferencer` reads."""
    model = small_model_cfg(kind)
    model['test_cfg'] = dict(nms=dict(type='mmcico.ClipNMS', score_thr=0.3, max_per_clip=20))
    resize = dict(type='Resize', scale=(128, 64), keep_ratio=True)
    pipeline = [
        dict(type='mmcico.ClipFrameSample'),
        dict(type='TransformBroadcaster', transforms=[dict(type='mmcico.LoadClipFrame'), resize]),
        dict(type='mmcico.PackClipInputs'),
    ]
    dataset = dict(
        type='mmcico.VISDataset', overlap=1, metainfo=dict(classes=CLASSES), pipeline=pipeline
    )
    return Config(dict(default_scope='mmdet', model=model, test_dataloader=dict(dataset=dataset)))


def write_small_model(folder: str | Path, kind: str = 'yolact') -> tuple[str, str]:
    """Write a config and random weights that find something everywhere; return both paths."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = small_inference_cfg(kind)
    model = MODELS.build(cfg.model)
    torch.nn.init.normal_(model.bbox_head.cls_layer.weight, std=0.3)
    torch.nn.init.constant_(model.bbox_head.mask_layer.bias, 1.0)
    config, weights = Path(folder) / 'small.py', Path(folder) / 'small.pth'
    config.write_text(cfg.pretty_text, encoding='utf-8')
    meta = dict(dataset_meta=dict(classes=CLASSES, category_ids=(11, 12, 13, 14)))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), weights)
    return str(config), str(weights)


def square(index: int, frame: int) -> tuple[int, int, int, int]:
    """Return the box xyxy of object ``index``, which moves right by 2 pixels a frame."""
    left, top = 8 + 40 * (index % 4) + 2 * frame, 8 + 44 * (index // 4)
    return left, top, left + 28, top + 32


def frame_sample(
    frame_id: int, objects: Sequence[int], video_id: int, video_length: int, size: tuple[int, int]
) -> DetDataSample:
    """Return a frame with the given objects, whose labels are ``index % 4``."""
    boxes = [square(index, frame_id) for index in objects]
    masks = np.zeros((len(boxes), *size), dtype=np.uint8)
    for plane, (x1, y1, x2, y2) in zip(masks, boxes):
        plane[y1:y2, x1:x2] = 1
    frame = DetDataSample(
        metainfo=dict(
            video_id=video_id,
            frame_id=frame_id,
            video_length=video_length,
            img_path=f'video{video_id}/{frame_id:05d}.jpg',
            img_shape=size,
            ori_shape=(2 * size[0], 2 * size[1]),
        )
    )
    frame.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float).view(-1, 4),
        labels=torch.tensor([i % 4 for i in objects], dtype=torch.long),
        masks=BitmapMasks(masks, *size),
        instances_ids=torch.tensor(objects, dtype=torch.long),
    )
    return frame


def clip_sample(
    objects: Sequence[Sequence[int]],
    start: int = 0,
    num_final: int = 0,
    video_id: int = 1,
    video_length: int = 9,
    size: tuple[int, int] = (96, 160),
) -> TrackDataSample:
    """Return a clip of consecutive frames from ``start`` on, with ``gt_instances`` in each.

    ``objects`` are the indices of those that are seen in each of the T frames; ``size`` is the
    height and width of the input, and the original is twice as large. The clip writes ``num_final``
    frames; 0 stands for all.
    """
    sample = TrackDataSample()
    sample.video_data_samples = [
        frame_sample(start + t, seen, video_id, video_length, size)
        for t, seen in enumerate(objects)
    ]
    sample.set_metainfo(
        dict(
            frame_ids=tuple(range(start, start + len(objects))), num_final=num_final or len(objects)
        )
    )
    return sample
