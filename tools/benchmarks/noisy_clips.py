"""Detections made from ground truth with random errors, without a network.

Each kind of error of a trained model is drawn at a rate of its own, so that linkers can be compared
on equal detections.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.datasets.clip_windows import Window
from mmcico.datasets.moving_shapes import Track
from mmcico.structures.clip_boxes import circumscribed_boxes, fill_from_nearest


@dataclass(frozen=True)
class DetectionNoise:
    """Rates and sizes of the errors of detections.

    Args:
        miss (float): Share of instances that a clip misses.
        miss_hidden (float): Share of completely hidden instances that a clip misses; between
            visible and hidden, the share grows linearly.
        false (float): Mean number of false instances of a clip. A third of them has the shape of an
            object at another place, a third duplicates an object with a random class, and a third
            is a part of an object.
        jitter (float): Standard deviation of the sides of a box, relative to its width or height.
        shift (float): Standard deviation of the position of a mask in pixels.
        swell (int): Greatest number of pixels by which a mask is wider or narrower.
        wrong_class (float): Share of instances with a random class.
        vanish (float): Share of objects that vanish from the video once.
        vanish_clips (int): Greatest number of clips for which an object vanishes.
        alike (float): Cosine between the embeddings of two objects of a class.
        embed_noise (float): Length of the noise on embeddings of unit length; twice as long for a
            hidden instance.
        drift (float): Length of the steps by which the embedding of an object changes from clip to
            clip.
        embed_channels (int): E.
    """

    miss: float = 0.08
    miss_hidden: float = 0.8
    false: float = 1.5
    jitter: float = 0.05
    shift: float = 0.7
    swell: int = 1
    wrong_class: float = 0.07
    vanish: float = 0.5
    vanish_clips: int = 10
    alike: float = 0.4
    embed_noise: float = 0.4
    drift: float = 0.25
    embed_channels: int = 32


def vanish(
    rng: np.random.Generator,
    tracks: Sequence[Track],
    windows: Sequence[Window],
    noise: DetectionNoise,
) -> list[Track]:
    """Remove objects from a video for some clips.

    Args:
        rng (Generator): Random generator.
        tracks (Sequence[Track]): Objects of the video.
        windows (Sequence[Window]): Clips of the video.
        noise (DetectionNoise): Rates of errors.

    Returns:
        list[Track]: Objects, absent from all frames of the clips for which they vanish. An object
        that would vanish from the whole video stays.
    """
    result = []
    for track in tracks:
        gone = rng.random() < noise.vanish
        start = int(rng.integers(1, max(len(windows) - 1, 2)))
        count = int(rng.integers(1, noise.vanish_clips + 1))
        frames = sorted({f for w in windows[start : start + count] for f in w.frame_ids})
        masks, hidden = track.masks.copy(), track.hidden.copy()
        masks[frames], hidden[frames] = False, np.nan
        stays = not gone or np.isnan(hidden).all()
        result.append(track if stays else Track(track.label, masks, hidden))
    return result


def identities(
    rng: np.random.Generator, labels: Sequence[int], noise: DetectionNoise
) -> np.ndarray:
    """Draw an embedding for each object; those of a class are similar.

    Args:
        rng (Generator): Random generator.
        labels (Sequence[int]): G labels.
        noise (DetectionNoise): Settings ``alike`` and ``embed_channels``.

    Returns:
        np.ndarray: (G, E) of unit length.
    """
    kinds = _unit(rng, max(labels, default=0) + 1, noise.embed_channels)
    own = _unit(rng, len(labels), noise.embed_channels)
    looks = np.sqrt(noise.alike) * kinds[np.asarray(labels, int)]
    return _normalize(looks + np.sqrt(1 - noise.alike) * own)


def detect_clips(
    rng: np.random.Generator,
    tracks: Sequence[Track],
    windows: Sequence[Window],
    num_classes: int,
    noise: DetectionNoise,
) -> list[InstanceData]:
    """Draw the detections of all clips of a video.

    Args:
        rng (Generator): Random generator.
        tracks (Sequence[Track]): G objects, at least one.
        windows (Sequence[Window]): Clips of the video.
        num_classes (int): K.
        noise (DetectionNoise): Rates of errors.

    Returns:
        list[InstanceData]: N instances of each clip in descending order of their scores, with
        ``bboxes`` (N, T, 4), ``circumscribed`` (N, 4), ``masks`` (N, T, H, W) of 0 and 1,
        ``embeds`` (N, E), ``scores``, ``labels`` and ``mask_params`` (N, H * W), the mask of the
        last frame that shows the instance; the metainfo has ``input_shape``.
    """
    looks = identities(rng, [track.label for track in tracks], noise)
    clips = []
    for window in windows:
        looks = _normalize(looks + noise.drift * _unit(rng, *looks.shape))
        frames = list(window.frame_ids)
        rows = [
            row
            for track, look in zip(tracks, looks)
            for row in [_detect(rng, track, look, frames, noise)]
            if row
        ]
        for _ in range(rng.poisson(noise.false)):
            row = _false(rng, tracks, looks, frames, noise)
            rows += [row] if row else []
        shape = tracks[0].masks.shape[1:]
        clips.append(_pack(rng, rows, shape, len(frames), num_classes, noise))
    return clips


# masks (T, H, W) bool, embedding (E,), label and score of an instance
_Row = tuple[np.ndarray, np.ndarray, int, float]


def _detect(
    rng: np.random.Generator,
    track: Track,
    look: np.ndarray,
    frames: list[int],
    noise: DetectionNoise,
) -> _Row | None:
    """Return the detection of an object, None if the clip misses it."""
    hidden = track.hidden[frames]
    if np.isnan(hidden).all():
        return None
    share = float(np.nanmean(hidden))
    rate = noise.miss + (noise.miss_hidden - noise.miss) * share
    if rng.random() < rate:
        return None
    masks = _spoil(rng, track.masks[frames], noise)
    embed = _blur(rng, look, noise.embed_noise * (1 + share))
    return masks, embed, track.label, rng.normal(0.75 - 0.3 * share, 0.1)


def _false(
    rng: np.random.Generator,
    tracks: Sequence[Track],
    looks: np.ndarray,
    frames: list[int],
    noise: DetectionNoise,
) -> _Row | None:
    """Return a false detection, None if the chosen object is not visible."""
    index = int(rng.integers(len(tracks)))
    masks = tracks[index].masks[frames]
    if not masks.any():
        return None
    score, kind = rng.normal(0.3, 0.1), rng.integers(3)
    if kind == 0:  # the shape of an object at another place
        place = rng.integers(0, masks.shape[1:])
        masks = np.roll(masks, place, axis=(1, 2))
        return masks, _unit(rng, 1, looks.shape[1])[0], -1, score
    if kind == 1:  # a duplicate of the object, with a random class
        masks = _spoil(rng, masks, noise)
        return masks, _blur(rng, looks[index], noise.embed_noise), -1, score
    rows = np.flatnonzero(masks.any(axis=(0, 2)))
    part = masks.copy()
    part[:, int(np.median(rows)) :] = False
    embed = _blur(rng, looks[index], 2 * noise.embed_noise)
    return part, embed, tracks[index].label, score


def _spoil(rng: np.random.Generator, masks: np.ndarray, noise: DetectionNoise) -> np.ndarray:
    """Shift and widen or narrow masks (T, H, W), each frame on its own."""
    spoilt = np.zeros_like(masks)
    for t, mask in enumerate(masks):
        dx, dy = rng.normal(0, noise.shift, 2)
        swell = int(rng.integers(-noise.swell, noise.swell + 1))
        image = mask.astype(np.uint8)
        if swell:
            side = 2 * abs(swell) + 1
            shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            change = cv2.dilate if swell > 0 else cv2.erode
            image = change(image, shape)
        move = np.array([[1, 0, round(dx)], [0, 1, round(dy)]], np.float32)
        image = cv2.warpAffine(image, move, mask.shape[::-1], flags=cv2.INTER_NEAREST)
        spoilt[t] = image > 0
    return spoilt if spoilt.any() else masks


def _pack(
    rng: np.random.Generator,
    rows: list[_Row],
    shape: tuple[int, ...],
    num_frames: int,
    num_classes: int,
    noise: DetectionNoise,
) -> InstanceData:
    """Return the instances of a clip in descending order of their scores."""
    rows = sorted([row for row in rows if row[0].any()], key=lambda row: -row[3])
    labels = [
        int(rng.integers(num_classes)) if label < 0 or rng.random() < noise.wrong_class else label
        for _, _, label, _ in rows
    ]
    masks = np.zeros((len(rows), num_frames, *shape), bool)
    embeds = np.zeros((len(rows), noise.embed_channels))
    for index, row in enumerate(rows):
        masks[index], embeds[index] = row[0], row[1]
    masks = torch.from_numpy(masks)
    boxes = mask_boxes(masks)
    size = (boxes[..., 2:] - boxes[..., :2]).repeat(1, 1, 2)
    wobble = torch.from_numpy(rng.normal(0, noise.jitter, boxes.shape))
    boxes = boxes + size * wobble.float()
    clip = InstanceData(
        metainfo=dict(input_shape=shape),
        bboxes=boxes,
        circumscribed=circumscribed_boxes(boxes),
        masks=masks.float(),
        embeds=torch.from_numpy(embeds).float(),
        scores=torch.tensor([row[3] for row in rows]).float().clamp(0.1, 0.99),
        labels=torch.tensor(labels, dtype=torch.long),
    )
    one_hot = torch.eye(num_classes)[clip.labels]
    clip.class_scores = one_hot * clip.scores[:, None]
    clip.mask_params = last_masks(masks).flatten(1).float()
    return clip


def mask_boxes(masks: Tensor) -> Tensor:
    """Return the tight boxes (N, T, 4) of masks (N, T, H, W).

    A frame without a mask gets the box of the nearest frame that has one.
    """
    height, width = masks.shape[-2:]
    seen = masks.flatten(2).any(dim=2)
    spans = []
    for dim, size in ((2, width), (3, height)):
        line = masks.any(dim=dim)
        steps = torch.arange(size, device=masks.device)
        low = steps.where(line, steps.new_tensor(size)).amin(dim=-1)
        high = (steps + 1).where(line, steps.new_zeros(())).amax(dim=-1)
        spans += [low, high]
    left, right, top, bottom = spans
    boxes = torch.stack([left, top, right, bottom], dim=-1).float()
    return fill_from_nearest(boxes, seen)


def last_masks(masks: Tensor) -> Tensor:
    """Return the masks (N, H, W) of the last frame that shows each of masks (N, T, H, W)."""
    seen = masks.flatten(2).any(dim=2)
    steps = torch.arange(masks.shape[1], device=masks.device)
    last = (seen * (steps + 1)).argmax(dim=1)
    return masks[torch.arange(len(masks), device=masks.device), last]


def _unit(rng: np.random.Generator, rows: int, channels: int) -> np.ndarray:
    """Return (rows, channels) vectors of unit length in random directions."""
    return _normalize(rng.normal(size=(rows, channels)))


def _normalize(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _blur(rng: np.random.Generator, look: np.ndarray, length: float) -> np.ndarray:
    """Add noise of a length to an embedding (E,)."""
    return _normalize(look + length * _unit(rng, 1, len(look))[0])
