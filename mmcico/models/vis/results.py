"""Results of a clip in MMDetection's data samples, at original size."""

from collections.abc import Iterator, Sequence

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.clip_masks import to_original
from mmcico.structures.track_state import TrackState

#: ways to enlarge masks, see :func:`to_original`
MASK_RESIZE = ('resize_first', 'crop_first')
#: which of equally frequent classes a track gets: the one with better scores or the first one
CLASS_TIES = ('scored', 'lowest')
#: instances whose masks are enlarged together; bounds memory
CHUNK = 16


def full_masks(
    probs: Tensor, frame: DetDataSample, input_shape: tuple[int, int], crop_first: bool = False
) -> Tensor:
    """Return the masks of one frame at the size of the video.

    Args:
        probs (Tensor): (N, h, w) probabilities over the padded input.
        frame (DetDataSample): With ``img_shape`` and ``ori_shape``.
        input_shape (tuple[int, int]): Height and width of the padded input.
        crop_first (bool): See :func:`to_original`.

    Returns:
        Tensor: (N, H, W) bool.
    """
    if not len(probs):
        return probs.new_zeros(0, *frame.ori_shape[:2], dtype=torch.bool)
    parts = [
        to_original(part, input_shape, frame.img_shape[:2], frame.ori_shape[:2], crop_first)
        for part in probs.split(CHUNK)
    ]
    return torch.cat(parts)


def full_boxes(boxes: Tensor, frame: DetDataSample) -> Tensor:
    """Return the boxes (N, 4) of one frame in original pixels, clipped to the frame."""
    height, width = frame.ori_shape[:2]
    fy, fx = height / frame.img_shape[0], width / frame.img_shape[1]
    limit = boxes.new_tensor([width, height, width, height])
    boxes = boxes * boxes.new_tensor([fx, fy, fx, fy])
    return torch.minimum(boxes.clamp(min=0), limit)


def final_frames(
    clip: InstanceData, sample: TrackDataSample, input_shape: tuple[int, int]
) -> Iterator[DetDataSample]:
    """Yield the frames that no later clip writes, with the instances visible in them."""
    crop_first = clip.get('mask_resize', MASK_RESIZE[0]) == 'crop_first'
    for t in range(sample.get('num_written', 0), sample.num_final):
        frame = DetDataSample(metainfo=sample[t].metainfo)
        masks = full_masks(clip.masks[:, t], frame, input_shape, crop_first)
        seen = masks.flatten(1).any(dim=1)
        frame.pred_track_instances = InstanceData(
            bboxes=full_boxes(clip.bboxes[seen, t], frame),
            labels=clip.labels[seen],
            scores=clip.scores[seen],
            masks=masks[seen],
            instances_id=clip.instances_id[seen],
        )
        # MMDetection's drawing hook requires a ground truth of this name
        frame.gt_instances = InstanceData(
            bboxes=clip.bboxes[:0, t], labels=clip.labels[:0], instances_id=clip.instances_id[:0]
        )
        yield frame


def to_track_sample(
    clip: InstanceData, sample: TrackDataSample, input_shape: tuple[int, int]
) -> TrackDataSample:
    """Put a linked clip into MMDetection's structure.

    Args:
        clip (InstanceData): N instances: ``bboxes`` (N, T, 4) in input pixels, ``masks``
            (N, T, h, w) probabilities, ``scores``, ``labels``, ``instances_id``; metainfo
            ``mask_resize`` and ``class_ties`` as in ``CiCo.test_cfg``.
        sample (TrackDataSample): Where the clip comes from.
        input_shape (tuple[int, int]): Height and width of the padded input.

    Returns:
        TrackDataSample: The frames from ``num_written`` (default: 0) to ``num_final`` with
        ``pred_track_instances``, the instances that are visible in the frame; and
        ``clip_instances`` with ids, scores and labels of all N, and metainfo ``class_ties``.
    """
    result = TrackDataSample(metainfo=sample.metainfo)
    result.video_data_samples = list(final_frames(clip, sample, input_shape))
    result.clip_instances = InstanceData(
        metainfo=dict(class_ties=clip.get('class_ties', CLASS_TIES[0])),
        instances_id=clip.instances_id,
        scores=clip.scores,
        labels=clip.labels,
    )
    return result


def mean_overlap(before: TrackState, clip: InstanceData, frame_ids: Sequence[int]) -> Tensor:
    """Average the masks of a clip with earlier ones of the frames they share.

    Each instance is averaged with the clip in which its track was last seen. Of a frame that a
    clip repeats, the first copy counts.

    Args:
        before (TrackState): The state before the clip.
        clip (InstanceData): N linked instances.
        frame_ids (Sequence[int]): The T frames of the clip.

    Returns:
        Tensor: (N, T, h, w) probabilities.
    """
    masks = clip.masks.clone()
    tracks = before.tracks
    if tracks is None:
        return masks
    same = clip.instances_id[:, None] == tracks.instances_id[None]
    for age in tracks.age.unique().tolist():
        known = before.seen_in(age)
        shared = [f for f in dict.fromkeys(frame_ids) if f in known]
        rows, cols = (same & (tracks.age == age)).nonzero(as_tuple=True)
        if not shared or not len(rows):
            continue
        now = [list(frame_ids).index(f) for f in shared]
        last = [known.index(f) for f in shared]
        new = masks[rows]
        new[:, now] = (new[:, now] + tracks.masks[cols][:, last]) / 2
        masks[rows] = new
    return masks
