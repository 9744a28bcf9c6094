"""Conversion between MMDetection's data samples and the tensors of clips.

The ground truth of a clip is aligned by the ids of its objects; results go back to original size.
"""

import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.clip_boxes import box_area, fill_from_nearest
from mmcico.structures.clip_masks import to_original
from mmcico.structures.clip_outputs import ClipGroundTruth
from mmcico.structures.devices import listed_rows, numbers_like
from mmcico.structures.track_state import TrackState

from .clip_network import ClipInput

#: settings of results in test_cfg, defaults first: see :class:`CiCo`
CHOICES = dict(
    overlap_masks=('later', 'mean'),
    mask_resize=('resize_first', 'crop_first'),
    class_ties=('scored', 'lowest'),
)
#: what a clip says of its tracks; not every tracker has tentative ones
VOTE_FIELDS = ('instances_id', 'scores', 'labels', 'tentative')
#: instances whose masks are enlarged together; bounds memory
CHUNK = 16


def choices_of(test_cfg: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of :data:`CHOICES`.

    Raises:
        ValueError: If there is no such value.
    """
    chosen = {name: test_cfg.get(name, values[0]) for name, values in CHOICES.items()}
    for name, values in CHOICES.items():
        if chosen[name] not in values:
            raise ValueError(f'test_cfg.{name}={chosen[name]!r} is none of {values}')
    return chosen


def crowd_boxes(frame: DetDataSample, device: torch.device) -> Tensor:
    """Return the (M, 4) regions of a frame that are to be ignored."""
    ignored = frame.get('ignored_instances', None)
    if ignored is None or 'bboxes' not in ignored:
        return torch.zeros(0, 4, device=device)
    return get_box_tensor(ignored.bboxes).to(device).reshape(-1, 4).float()


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
    ids = [frame.gt_instances.instances_ids.tolist() for frame in frames]
    rows = {key: row for row, key in enumerate(dict.fromkeys(chain(*ids)))}
    size = (len(rows), len(frames))
    labels = torch.zeros(len(rows), dtype=torch.long)
    boxes = torch.zeros(*size, 4)
    visible = torch.zeros(size, dtype=torch.bool)
    masks = torch.zeros(*size, *input_shape, dtype=torch.uint8)
    for t, frame in enumerate(frames):
        gt = frame.gt_instances
        index = torch.tensor([rows[key] for key in ids[t]], dtype=torch.long)
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
        # the folder makes it unique also among data sets in one batch
        video_id=f'{osp.dirname(frames[0].get("img_path", ""))}:{frames[0].video_id}',
    )


def consecutive_clips(
    inputs: Tensor, samples: Sequence[TrackDataSample]
) -> list[list[tuple[TrackDataSample, ClipInput]]]:
    """Group the clips of a batch so that those of a group follow each other in their video.

    Args:
        inputs (Tensor): (B, T, 3, H, W) normalised clips.
        samples (Sequence[TrackDataSample]): Where they come from.

    Returns:
        list[list[tuple]]: Clips without the padding that others of the batch made necessary.
    """
    groups: list[list[tuple[TrackDataSample, ClipInput]]] = []
    follows = None
    for frames, sample in zip(inputs, samples):
        height, width = sample[0].get('pad_shape', inputs.shape[-2:])[:2]
        clip = ClipInput(frames[..., :height, :width], sample.frame_ids, sample.num_final)
        here = sample[0].video_id, clip.frame_ids[0], (height, width)
        if here != follows:
            groups.append([])
        groups[-1].append((sample, clip))
        follows = sample[0].video_id, clip.frame_ids[0] + clip.num_final, (height, width)
    return groups


def shown_size(frame: DetDataSample) -> tuple[int, int]:
    """Return the height and width of the part of the input that shows a frame.

    ``img_shape`` includes what steps of the pipeline have padded. The homography is the product of
    all steps that resize; MMCV's own note their factors (x, y) alone.
    """
    fx, fy = frame.get('scale_factor', (1, 1))
    if (matrix := frame.get('homography_matrix', None)) is not None:
        fx, fy = abs(float(matrix[0][0])), abs(float(matrix[1][1]))
    height, width = (
        min(size, int(side * factor + 0.5))
        for size, side, factor in zip(frame.img_shape, frame.ori_shape, (fy, fx))
    )
    return height, width


def full_masks(
    probs: Tensor, frame: DetDataSample, input_shape: tuple[int, int], crop_first: bool = False
) -> Tensor:
    """Return the masks (N, H, W) bool of one frame at the size of the video.

    ``probs`` (N, h, w) are over the padded input of a height and width; see :func:`to_original`.
    """
    if not len(probs):
        return probs.new_zeros(0, *frame.ori_shape[:2], dtype=torch.bool)
    shown = shown_size(frame)
    parts = [
        to_original(part, input_shape, shown, frame.ori_shape[:2], crop_first)
        for part in probs.split(CHUNK)
    ]
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def full_boxes(boxes: Tensor, frame: DetDataSample) -> Tensor:
    """Return the boxes (N, 4) of one frame in original pixels, clipped to the frame."""
    height, width = frame.ori_shape[:2]
    shown = shown_size(frame)
    fy, fx = height / shown[0], width / shown[1]
    factor, low, high = numbers_like(
        boxes, [[fx, fy, fx, fy], [0, 0, 0, 0], [width, height, width, height]]
    )
    return (boxes * factor).clamp(low, high)


def final_frames(
    clip: InstanceData, sample: TrackDataSample, input_shape: tuple[int, int]
) -> Iterator[DetDataSample]:
    """Yield the frames that no later clip writes, with the instances visible in them."""
    crop_first = clip.get('mask_resize') == 'crop_first'
    tentative = clip.tentative.tolist() if 'tentative' in clip else [False] * len(clip)
    for t in range(sample.get('num_written', 0), sample.num_final):
        frame = DetDataSample(metainfo=sample[t].metainfo)
        masks = full_masks(clip.masks[:, t], frame, input_shape, crop_first)
        rows = InstanceData(
            bboxes=full_boxes(clip.bboxes[:, t], frame),
            labels=clip.labels.clone(),  # users may change those of one frame
            scores=clip.scores.clone(),
            masks=masks,
            instances_id=clip.instances_id.clone(),
        )
        seen = masks.flatten(1).any(dim=1).tolist()
        if 'tentative' in clip:
            unsure = [row for row, is_seen in enumerate(seen) if is_seen and tentative[row]]
            frame.tentative_track_instances = listed_rows(rows, unsure)
        sure = [row for row, is_seen in enumerate(seen) if is_seen and not tentative[row]]
        frame.pred_track_instances = listed_rows(rows, sure)
        # MMDetection's drawing hook requires a ground truth of this name
        frame.gt_instances = InstanceData(
            bboxes=clip.bboxes[:0, t], labels=clip.labels[:0], instances_id=clip.instances_id[:0]
        )
        yield frame


def sample_of_frames(metainfo: Mapping[str, Any], frames: list[DetDataSample]) -> TrackDataSample:
    """Return a sample with ``video_data_samples``.

    The setter of that property writes all tensors of the first frame as text (MMDetection 3.3), for
    which they are copied from the device; so it gets an empty frame.
    """
    sample = TrackDataSample(metainfo=dict(metainfo))
    sample.video_data_samples = [DetDataSample()]
    sample.video_data_samples[:] = frames
    return sample


def to_track_sample(
    clip: InstanceData, sample: TrackDataSample, input_shape: tuple[int, int]
) -> TrackDataSample:
    """Put a linked clip into MMDetection's structure.

    Args:
        clip (InstanceData): N instances: ``bboxes`` (N, T, 4) in input pixels, ``masks``
            (N, T, h, w) probabilities, ``scores``, ``labels``, ``instances_id`` and, if the tracker
            confirms tracks, ``tentative``; metainfo ``mask_resize`` and ``class_ties`` as in
            ``CiCo.test_cfg``.
        sample (TrackDataSample): Where the clip comes from.
        input_shape (tuple[int, int]): Height and width of the padded input.

    Returns:
        TrackDataSample: The frames from ``num_written`` (default: 0) to ``num_final`` with
        ``pred_track_instances``, the instances that are visible in the frame, and, if the tracker
        confirms tracks, ``tentative_track_instances``, those that are not confirmed yet; and
        ``clip_instances`` with the :data:`VOTE_FIELDS` of all N, and metainfo ``class_ties``.
    """
    frames = list(final_frames(clip, sample, input_shape))
    result = sample_of_frames(sample.metainfo, frames)
    result.clip_instances = InstanceData(
        metainfo=dict(class_ties=clip.get('class_ties', 'scored')),
        **{name: clip[name] for name in VOTE_FIELDS if name in clip},
    )
    return result


def mean_overlap(before: TrackState, clip: InstanceData, frame_ids: Sequence[int]) -> Tensor:
    """Average the masks of a clip with earlier ones of the frames they share, (N, T, h, w).

    Each instance is averaged with the clip in which its track was last seen. Of a frame that a clip
    repeats, the first copy counts.
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
