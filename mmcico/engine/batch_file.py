"""Batches on disk, to be run again."""

from pathlib import Path
from typing import Any

from mmcico.compat.checkpoint import load_safely, named

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

#: what a batch is made of beside tensors, numbers and text
CLASSES = [
    BitmapMasks,
    DetDataSample,
    HorizontalBoxes,
    InstanceData,
    TrackDataSample,
    named('builtins.bytes', bytes),  # arrays without elements
]


def batch_names(batch: Any) -> list[str]:
    """Return the video and the frames of each clip of a batch, nothing without ``data_samples``."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    return [_clip_name(sample) for sample in samples or []]


def _clip_name(sample: Any) -> str:
    """Return video, frames and first image of a clip as text."""
    frames = list(getattr(sample, 'video_data_samples', None) or [sample])
    video = frames[0].get('video_id', sample.get('video_id', '?'))
    positions = tuple(sample.get('frame_ids') or (frame.get('frame_id') for frame in frames))
    return f'video {video!r}, frames {positions} ({frames[0].get("img_path", "no path")} ...)'


def save_batch(path: Path, batch: Any, **facts: Any) -> None:
    """Write a batch as from the loader, and facts: numbers, text, lists and dicts of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(facts, batch=batch), path)


def load_batch(path: str) -> dict:
    """Return the facts and the ``batch`` that :func:`save_batch` wrote.

    The file cannot run code: it is refused if it holds other classes than those of a batch.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'batch "{path}" does not exist')
    torch.serialization.add_safe_globals(CLASSES)
    content = load_safely(path, 'cpu')
    if not isinstance(content, dict) or 'batch' not in content:
        raise ValueError(f'"{path}" is no batch of a training that stopped; they are in replay/')
    return content
