"""Results of a clip in MMDetection's data samples, at original size."""

from collections.abc import Iterator

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.clip_masks import to_original

#: instances whose masks are enlarged together; bounds memory
CHUNK = 16


def full_masks(probs: Tensor, frame: DetDataSample, input_shape: tuple[int, int]) -> Tensor:
    """Masks of one frame as the video shows them.

    Args:
        probs (Tensor): (N, h, w) probabilities over the padded input.
        frame (DetDataSample): With ``img_shape`` and ``ori_shape``.
        input_shape (tuple[int, int]): Height and width of the padded input.

    Returns:
        Tensor: (N, H, W) bool.
    """
    parts = [
        to_original(part, input_shape, frame.img_shape[:2], frame.ori_shape[:2])
        for part in probs.split(CHUNK)
    ]
    if not len(probs):
        return probs.new_zeros(0, *frame.ori_shape[:2], dtype=torch.bool)
    return torch.cat(parts)


def full_boxes(boxes: Tensor, frame: DetDataSample) -> Tensor:
    """Boxes of one frame as the video shows them.

    Args:
        boxes (Tensor): (N, 4) xyxy in input pixels.
        frame (DetDataSample): With ``img_shape`` and ``ori_shape``.

    Returns:
        Tensor: (N, 4) xyxy in original pixels, cut to the frame.
    """
    height, width = frame.ori_shape[:2]
    fy, fx = height / frame.img_shape[0], width / frame.img_shape[1]
    limit = boxes.new_tensor([width, height, width, height])
    boxes = boxes * boxes.new_tensor([fx, fy, fx, fy])
    return torch.minimum(boxes.clamp(min=0), limit)


def final_frames(
    clip: InstanceData, sample: TrackDataSample, input_shape: tuple[int, int]
) -> Iterator[DetDataSample]:
    """Frames that no later clip writes, with what is visible in them."""
    for t in range(sample.get('num_written', 0), sample.num_final):
        frame = DetDataSample(metainfo=sample[t].metainfo)
        masks = full_masks(clip.masks[:, t], frame, input_shape)
        seen = masks.flatten(1).any(dim=1)
        frame.pred_track_instances = InstanceData(
            bboxes=full_boxes(clip.bboxes[seen, t], frame),
            labels=clip.labels[seen],
            scores=clip.scores[seen],
            masks=masks[seen],
            instances_id=clip.instances_id[seen],
        )
        # MMDetection's drawing hook wants a ground truth, under this name
        frame.gt_instances = InstanceData(
            bboxes=clip.bboxes[:0, t], labels=clip.labels[:0], instances_id=clip.instances_id[:0]
        )
        yield frame


def to_track_sample(
    clip: InstanceData, sample: TrackDataSample, input_shape: tuple[int, int]
) -> TrackDataSample:
    """Put a linked clip into MMDetection's structure.

    Args:
        clip (InstanceData): N instances: ``bboxes`` (N, T, 4) in input
            pixels, ``masks`` (N, T, h, w) probabilities, ``scores``,
            ``labels``, ``instances_id``.
        sample (TrackDataSample): Where the clip comes from.
        input_shape (tuple[int, int]): Height and width of the padded input.

    Returns:
        TrackDataSample: The frames from ``num_written`` (0 if the sample
            does not say) to ``num_final`` with
        ``pred_track_instances``: rows of instances that show in the frame;
        and ``clip_instances`` with ids, scores and labels of all N.
    """
    result = TrackDataSample(metainfo=sample.metainfo)
    result.video_data_samples = list(final_frames(clip, sample, input_shape))
    result.clip_instances = InstanceData(
        instances_id=clip.instances_id, scores=clip.scores, labels=clip.labels
    )
    return result
