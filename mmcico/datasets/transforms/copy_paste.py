"""Copies of objects from one clip into another."""

import hashlib
import random
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.structures.mask import BitmapMasks

from mmcico.registry import TRANSFORMS

#: fields with one entry for each object of a frame, beside boxes and masks
LISTS = ('gt_bboxes_labels', 'gt_instances_ids', 'gt_ignore_flags')


def moved(picture: np.ndarray, shift: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return a picture on a canvas of zeros, moved by whole pixels.

    Args:
        picture (ndarray): (H, W) or (H, W, 3).
        shift (tuple[int, int]): Pixels down and to the right, which may be negative.
        size (tuple[int, int]): Height and width of the canvas.

    Returns:
        ndarray: The canvas; what lies outside is cut off.
    """
    canvas = np.zeros((*size, *picture.shape[2:]), picture.dtype)
    to, start = [], []
    for offset, length, limit in zip(shift, picture.shape, size):
        low, high = max(offset, 0), min(offset + length, limit)
        to.append(slice(low, max(high, low)))
        start.append(slice(low - offset, max(high, low) - offset))
    canvas[tuple(to)] = picture[tuple(start)]
    return canvas


def paste_object(
    frame: dict[str, Any], source: dict[str, Any], row: int, shift: tuple[int, int], new_id: int
) -> None:
    """Paste an object of another frame over a frame.

    Objects below lose the pixels that it covers, and leave the frame if they lose all. Boxes of the
    objects that lose some become those of their masks.

    Args:
        frame (dict): Fields of a frame after ``LoadClipAnnotations``, changed in place.
        source (dict): The same of the other frame.
        row (int): The object's row in the other frame.
        shift (tuple[int, int]): Pixels down and to the right by which it is moved.
        new_id (int): Its id in the clip, see :func:`pasted_id`.
    """
    size = frame['img'].shape[:2]
    mask = moved(source['gt_masks'].masks[row], shift, size).astype(bool)
    if not mask.any():
        return
    image = moved(source['img'], shift, size)
    frame['img'] = np.where(mask[..., None], image, frame['img'])
    below = frame['gt_masks'].masks
    left = below & ~mask
    is_covered = (left != below).any((1, 2))
    boxes = np.where(is_covered[:, None], boxes_of(left), frame['gt_bboxes'])
    keep = ~is_covered | left.any((1, 2))
    masks = np.concatenate([left[keep], mask[None].astype(left.dtype)])
    frame['gt_masks'] = BitmapMasks(masks, *size)
    frame['gt_bboxes'] = np.concatenate([boxes[keep], boxes_of(mask[None])]).astype(np.float32)
    added = dict(zip(LISTS, (source['gt_bboxes_labels'][row], new_id, False)))
    for name, value in added.items():
        old = frame[name]
        frame[name] = np.append(old[keep], np.array([value], old.dtype))


def pasted_id(clip: dict, key: int) -> int:
    """Return the id of a clip's object in clips of other videos, the same in all of them.

    Losses compare the objects of all clips of a video in a batch. The id is made from the file, the
    video and the object's number there. It is at least 2^40, above all numbers of a video's own;
    colours still tell such ids apart.
    """
    name = repr((clip['source'][0], clip['video_id'][0], key))
    return int.from_bytes(b'\1' + hashlib.blake2b(name.encode(), digest_size=5).digest(), 'big')


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """Return the (N, 4) boxes (x1, y1, x2, y2) of (N, H, W) masks, zeros for empty ones."""
    height, width = masks.shape[1:]
    return BitmapMasks(masks.astype(np.uint8), height, width).get_bboxes('hbox').numpy()


@TRANSFORMS.register_module()
class ClipCopyPaste(BaseTransform):
    """Transform that pastes objects of another clip of the data set into a clip.

    An object moves as in its own clip, at another place. With few videos, this makes scenes that
    none of them has: other objects together, before other backgrounds, and covered by each other
    (Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
    Segmentation"; edges are not blurred here).

    It needs a second clip, and so has its place in the pipeline of MMDetection's
    ``MultiImageMixDataset`` around a data set that loads clips (``ClipFrameSample``,
    ``LoadClipFrame``, ``LoadClipAnnotations``), before ``PackClipInputs``. Colours, sizes and flips
    that are drawn by the pipeline of the data set differ between the two clips. Frames of both may
    have different sizes.

    Args:
        prob (float): Share of the clips that get objects.
        max_objects (int): Most objects that a clip gets; the number is drawn from 1 on.
    """

    def __init__(self, prob: float = 0.5, max_objects: int = 2) -> None:
        if not 0 <= prob <= 1 or max_objects < 1:
            raise ValueError(
                f'ClipCopyPaste: prob {prob} must be in [0, 1] and max_objects {max_objects} at '
                'least 1'
            )
        self.prob = prob
        self.max_objects = max_objects

    def get_indexes(self, dataset: Any) -> list[int]:
        """Return the item whose objects are copied, or nothing for clips that get no objects."""
        return [random.randrange(len(dataset))] if random.random() < self.prob else []

    def transform(self, results: dict) -> dict:
        """Paste objects into all frames of a clip.

        Raises:
            ValueError: If there is no second clip.
        """
        if 'mix_results' not in results:
            raise ValueError(
                'ClipCopyPaste has no second clip: put it into the pipeline of '
                "MMDetection's MultiImageMixDataset around the data set"
            )
        others = results.pop('mix_results')
        if not others:
            return results
        (other,) = others
        frames = frame_dicts(results)
        sources = frame_dicts(other)
        found = {
            int(key)
            for frame in sources
            for key, ignored in zip(frame['gt_instances_ids'], frame['gt_ignore_flags'])
            if not ignored
        }
        known = {key for frame in frames for key in frame['gt_instances_ids'].tolist()}
        new = {key: pasted_id(other, key) for key in sorted(found)}
        free = [key for key in new if new[key] not in known]  # else pasted by a step before
        count = random.randint(1, self.max_objects)
        for key in random.sample(free, min(count, len(free))):
            self._paste(frames, sources, key, new[key])
        for name in ('img', 'gt_bboxes', 'gt_masks', *LISTS):
            results[name] = [frame[name] for frame in frames]
        return results

    def _paste(self, frames: list[dict], sources: list[dict], key: int, new_id: int) -> None:
        """Paste an object, moved alike in all frames, so that its centre stays in the first."""
        rows = [np.flatnonzero(frame['gt_instances_ids'] == key) for frame in sources]
        first = next(t for t, found in enumerate(rows) if len(found))
        x1, y1, x2, y2 = sources[first]['gt_bboxes'][rows[first][0]]
        height, width = frames[0]['img'].shape[:2]
        shift = (
            int(random.uniform(0, height) - (y1 + y2) / 2),
            int(random.uniform(0, width) - (x1 + x2) / 2),
        )
        for frame, source, found in zip(frames, sources, rows):
            if len(found):
                paste_object(frame, source, int(found[0]), shift, new_id)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, max_objects={self.max_objects})'


def frame_dicts(results: dict) -> list[dict]:
    """Return the fields of each frame of a clip that are changed here."""
    names = ('img', 'gt_bboxes', 'gt_masks', *LISTS)
    return [dict(zip(names, values)) for values in zip(*(results[name] for name in names))]
