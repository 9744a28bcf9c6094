"""Clips as a pipeline gives them to the network, with their objects."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from .draw import DrawnObject, draw_text_
from .overlays import TITLE_COLOUR
from .style import DrawStyle, draw_frame


def clip_frames(
    packed: dict, classes: Sequence[str], style: DrawStyle, width: int | None = None
) -> list[np.ndarray]:
    """Draw a clip.

    Args:
        packed (dict): What ``PackClipInputs`` makes: ``inputs`` (T, 3, H, W)
            BGR and ``data_samples``.
        classes (Sequence[str]): Names by label.
        style (DrawStyle): Looks.
        width (int, optional): Frames are not wider.

    Returns:
        list[np.ndarray]: T times (H', W', 3) uint8 BGR. Objects that are
        ignored in training are called so.
    """
    pictures = []
    sample = packed['data_samples']
    images = packed['inputs'].permute(0, 2, 3, 1).numpy()
    for t, (pixels, frame) in enumerate(zip(images, sample)):
        image = np.ascontiguousarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
        objects = _objects(frame.gt_instances, classes, '')
        if 'ignored_instances' in frame:
            objects += _objects(frame.ignored_instances, classes, ' ignored')
        picture = draw_frame(image, objects, style, width)
        draw_text_(picture, frame_title(sample, frame, t), (0, len(picture) - 1), TITLE_COLOUR)
        pictures.append(picture)
    return pictures


def frame_title(sample: Any, frame: Any, place: int) -> str:
    """Video, frame, whether it is the query frame, and its flip."""
    parts = [f'video {frame.get("video_id")} frame {frame.get("frame_id")}']
    if sample.get('key_index') == place:
        parts.append('query')
    if frame.get('flip'):
        parts.append(f'flipped {frame.get("flip_direction")}')
    return ', '.join(parts)


def _objects(instances: Any, classes: Sequence[str], note: str) -> list[DrawnObject]:
    """Objects of one frame after all transforms."""
    if len(instances) == 0:
        return []
    boxes = getattr(instances.bboxes, 'tensor', instances.bboxes).tolist()
    return [
        DrawnObject(int(key), mask.astype(bool), classes[int(label)] + note, box=tuple(box))
        for key, mask, label, box in zip(
            instances.instances_ids, instances.masks.masks, instances.labels, boxes
        )
    ]


def padded(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Frames of one size: black is added on the right and below."""
    height = max(frame.shape[0] for frame in frames)
    width = max(frame.shape[1] for frame in frames)
    return [
        cv2.copyMakeBorder(
            frame, 0, height - frame.shape[0], 0, width - frame.shape[1], cv2.BORDER_CONSTANT
        )
        for frame in frames
    ]
