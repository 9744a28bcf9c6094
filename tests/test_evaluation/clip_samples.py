"""Clips of moving rectangles, as models return them."""

import errno
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from vis_files import SIZE, Box, draw

META = dict(classes=('a', 'b'), category_ids=(10, 11))


def frame_sample(
    video_id: Any,
    frame_id: int,
    length: int,
    boxes: dict[int, Box],
    scores: Sequence[float] | None = None,
    labels: Sequence[int] | None = None,
) -> DetDataSample:
    """A frame; ``boxes``: track id -> rectangle."""
    frame = DetDataSample(
        metainfo=dict(video_id=video_id, frame_id=frame_id, video_length=length, ori_shape=SIZE)
    )
    masks = [torch.from_numpy(draw(box)) for box in boxes.values()]
    frame.pred_track_instances = InstanceData(
        instances_id=torch.tensor([*boxes], dtype=torch.long),
        masks=torch.stack(masks) if masks else torch.zeros(0, *SIZE, dtype=torch.bool),
        scores=torch.tensor([0.5] * len(boxes) if scores is None else scores),
        labels=torch.tensor([0] * len(boxes) if labels is None else labels, dtype=torch.long),
    )
    return frame


def clip_sample(
    frames: list[DetDataSample], votes: dict[int, tuple] | None = None
) -> TrackDataSample:
    """A clip; ``votes``: track id -> (score, label), None: a foreign model."""
    sample = TrackDataSample()
    sample.video_data_samples = frames
    if votes is not None:
        sample.clip_instances = InstanceData(
            instances_id=torch.tensor([*votes], dtype=torch.long),
            scores=torch.tensor([v[0] for v in votes.values()]),
            labels=torch.tensor([v[1] for v in votes.values()], dtype=torch.long),
        )
    return sample


def still_video(
    video_id: Any, box: Box, score: float = 0.75, length: int = 3
) -> list[TrackDataSample]:
    """Clips of a video with one resting object, two frames and one frame."""
    frames = [frame_sample(video_id, t, length, {4: box}) for t in range(length)]
    return [clip_sample(frames[:2], {4: (score, 0)}), clip_sample(frames[2:], {4: (score, 0)})]


def full_disk(*args):
    raise OSError(errno.ENOSPC, 'No space left on device', 'results.json')


NO_SPACE = (
    r'VISMetric: \[Errno 28\] No space left on device: '
    "'results.json'; outdir must be a folder"
)
