"""Clips of squares that move, as the data pipeline would pack them."""

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData


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
