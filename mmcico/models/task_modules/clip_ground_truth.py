"""Alignment of the objects of a clip by their id."""

import os.path as osp
from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.clip_boxes import box_area, fill_from_nearest
from mmcico.structures.clip_outputs import ClipGroundTruth


def numbered_ids(frames: Sequence[DetDataSample]) -> dict[int, int]:
    """Number the object ids in order of first appearance."""
    rows: dict[int, int] = {}
    for frame in frames:
        for key in frame.gt_instances.instances_ids.tolist():
            rows.setdefault(key, len(rows))
    return rows


def crowd_boxes(frame: DetDataSample, device: torch.device) -> Tensor:
    """Return the (M, 4) regions of a frame that are to be ignored."""
    ignored = frame.get('ignored_instances', None)
    if ignored is None or 'bboxes' not in ignored:
        return torch.zeros(0, 4, device=device)
    return get_box_tensor(ignored.bboxes).to(device).reshape(-1, 4).float()


def video_key(frame: DetDataSample) -> str:
    """Return a key of the video that is unique also among data sets in one batch."""
    return f'{osp.dirname(frame.get("img_path", ""))}:{frame.video_id}'


def padded_masks(frame: DetDataSample, size: Sequence[int]) -> np.ndarray:
    """Return the (n, H, W) uint8 masks of a frame on the padded input."""
    masks = frame.gt_instances.masks.to_ndarray()
    height, width = size
    pad = [(0, 0), (0, height - masks.shape[1]), (0, width - masks.shape[2])]
    return np.pad(masks, pad)


def align_clip(
    sample: TrackDataSample, input_shape: Sequence[int], device: torch.device
) -> ClipGroundTruth:
    """Align the objects of all frames of a clip by their ids.

    A frame's annotation holds only the objects seen in that frame; the result has one entry per
    object for the whole clip. In frames that do not show an object, it has the box of the nearest
    frame that does and an empty mask.

    Args:
        sample (TrackDataSample): T frames with ``gt_instances``.
        input_shape (tuple[int, int]): Height and width of the padded input.
        device (torch.device): Device of the result.

    Returns:
        ClipGroundTruth: G objects in order of first appearance, without those that have no pixel
        in any frame.
    """
    frames: list[DetDataSample] = sample.video_data_samples
    rows = numbered_ids(frames)
    size = (len(rows), len(frames))
    labels = torch.zeros(len(rows), dtype=torch.long)
    boxes = torch.zeros(*size, 4)
    visible = torch.zeros(size, dtype=torch.bool)
    masks = torch.zeros(*size, *input_shape, dtype=torch.uint8)
    for t, frame in enumerate(frames):
        gt = frame.gt_instances
        index = torch.tensor([rows[key] for key in gt.instances_ids.tolist()], dtype=torch.long)
        if len(index) == 0:
            continue
        planes = torch.from_numpy(padded_masks(frame, input_shape))
        labels[index] = gt.labels.cpu()
        boxes[index, t] = get_box_tensor(gt.bboxes).cpu().float()
        masks[index, t] = planes
        # a box without area cannot be encoded, whatever its mask shows
        visible[index, t] = planes.bool().flatten(1).any(dim=1) & (box_area(boxes[index, t]) > 0)
    instances = InstanceData(
        labels=labels,
        bboxes=fill_from_nearest(boxes, visible),
        visible=visible,
        masks=masks,
        instances_id=torch.tensor(list(rows), dtype=torch.long),
    )
    return ClipGroundTruth(
        instances=instances[visible.any(dim=1)].to(device),
        crowds=tuple(crowd_boxes(frame, device) for frame in frames),
        video_id=video_key(frames[0]),
    )
