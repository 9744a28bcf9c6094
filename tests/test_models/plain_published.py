"""The published models from frames to tracks, slow and plain, except for the network itself.

Written from the description of the published models alone, without any code of the package.
Coordinates are shares of the padded input.
"""

import math
from collections import Counter
from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F

MEAN, STD = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])
CROPS = dict(yolact=1.1, condinst=1.5)


def shown_size(frame):
    """Height and width of a frame in the input."""
    h, w = frame.shape[:2]
    return (int(h * (640 / w)), 640) if h / w < 0.6 else (384, int(w * (384 / h)))


def network_input(frame):
    """(3, H, W) of a BGR frame; BGR meets the constants of RGB, then channels turn."""
    h, w = shown_size(frame)
    image = (cv2.resize(frame.astype(np.float32), (w, h)) - MEAN) / STD
    full = np.zeros((max(-(-h // 32) * 32, 384), max(-(-w // 32) * 32, 640), 3), np.float32)
    full[:h, :w] = image[..., ::-1]
    return full.transpose(2, 0, 1)


@cache
def anchors(sizes):
    """(P, 4) centre x, centre y, width and height for maps of these sizes."""
    return np.array(
        [
            [(x + 0.5) / w, (y + 0.5) / h, 3 * r**0.5 / w, 3 / r**0.5 / h]
            for h, w in sizes
            for y in range(h)
            for x in range(w)
            for r in (1, 0.5, 2)
        ]
    )


def area(boxes):
    return np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(-1)


def iou(a, b):
    """IoU (N, M, ...) of boxes (N, ..., 4) and (M, ..., 4)."""
    a, b = a[:, None], b[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    both = np.clip(high - low, 0, None).prod(-1)
    return both / (area(a) + area(b) - both)


def mask_iou(a, b):
    """IoU (N, M, T) of masks (N or M, T, h, w)."""
    flat = [x.reshape(*x.shape[:2], -1).transpose(1, 0, 2).astype(float) for x in (a, b)]
    both = (flat[0] @ flat[1].transpose(0, 2, 1)).transpose(1, 2, 0)
    total = a.sum((2, 3))[:, None] + b.sum((2, 3))[None] - both
    return both / np.maximum(total, 1)


def mean_seen(values, a, b, pixels):
    """Mean (N, M) of values (N, M, T) over frames in which both masks have more pixels."""
    seen = (a.sum((2, 3)) > pixels)[:, None] & (b.sum((2, 3)) > pixels)[None]
    return (values * seen).sum(-1) / np.maximum(seen.sum(-1), 1), seen


def scaled(box, factor):
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * factor
    return np.concatenate([centre - half, centre + half])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def draw(kind, protos, params, box, crop):
    """(T, h, w) of one instance on prototypes (k, T, h, w)."""
    h, w = protos.shape[-2:]
    if kind == 'yolact':
        mask = sigmoid(np.tensordot(params, protos, 1))
    else:
        x1, y1, x2, y2 = box * [w, h, w, h]
        cx, cy = round((x1 + x2) / 2), round((y1 + y2) / 2)
        sx, sy = max(1.5 * (x2 - x1), 1), max(1.5 * (y2 - y1), 1)
        gap = (np.arange(w)[None] - cx) ** 2 / sx**2 + (np.arange(h)[:, None] - cy) ** 2 / sy**2
        plane = np.broadcast_to(np.exp(-gap / 2), protos.shape[1:])
        x = np.concatenate([plane[None], protos])
        weights, biases = np.split(params[:144], [72, 136]), np.split(params[144:], [8, 16])
        for step, (weight, bias) in enumerate(zip(weights, biases)):
            x = np.maximum(x, 0) if step else x
            x = np.tensordot(weight.reshape(len(bias), -1), x, 1) + bias[:, None, None, None]
        mask = sigmoid(x[0])
    left, right = (np.clip(crop[[0, 2]], 0, 1) * w).astype(int) + [-1, 1]
    top, bottom = (np.clip(crop[[1, 3]], 0, 1) * h).astype(int) + [-1, 1]
    inside = np.zeros_like(mask)
    inside[:, max(top, 0) : bottom, max(left, 0) : right] = 1
    return mask * inside


def boxes_of(priors, deltas):
    """(T, 4) xyxy of deltas (T, 4) against one anchor."""
    centre = priors[:2] + 0.1 * deltas[:, :2] * priors[2:]
    size = priors[2:] * np.exp(0.2 * deltas[:, 2:])
    return np.concatenate([centre - size / 2, centre + size / 2], 1)


def around(boxes):
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def candidates(out, priors):
    """Rows after the first two steps, best first."""
    num_frames = len(out['scores'])
    rows = [tuple(row) for row in np.argwhere(out['scores'].max(-1) > 0.1)]
    rows.sort(key=lambda row: -out['scores'][row].max())
    rows = sorted(rows[: min(100 * num_frames, 300)])
    found = []
    for t, a in rows:
        boxes = boxes_of(priors[a], out['deltas'][t, a])
        found.append(
            dict(
                scores=out['scores'][t, a],
                centerness=out['centerness'][t, a],
                boxes=boxes,
                around=around(boxes),
                params=out['params'][t, a],
                embed=out['embeds'][t, a],
            )
        )
    return sorted(found, key=lambda row: -row['scores'].max() * row['centerness'])


def column(rows, name):
    return np.array([row[name] for row in rows])


def distinct_boxes(rows):
    """Step 3."""
    boxes, outer = column(rows, 'boxes'), column(rows, 'around')
    overlap = iou(boxes, boxes).mean(-1) / 2 + iou(outer, outer) / 2
    num_frames, kept = boxes.shape[1], []
    for j, row in enumerate(rows):
        centre = (row['boxes'][:, :2] + row['boxes'][:, 2:]) / 2
        inside = ((centre > 0) & (centre < 1)).all(1).sum()
        if not (overlap[:j, j] > 0.9).any() and inside >= max(num_frames // 2, 1):
            kept.append(row)
    return kept


def well_drawn(row):
    """Step 5."""
    binary = row['mask'] > 0.5
    pixels = binary.sum((1, 2))
    share = pixels / binary[0].size / area(row['boxes'])
    return (pixels > 5).any() and (share > 0.1).any()


def detect(kind, out, priors):
    """Instances of one clip: rows with ``label`` and ``score``, best first."""
    rows = candidates(out, priors)
    rows = distinct_boxes(rows) if rows else []
    for row in rows:
        crop = scaled(row['around'], CROPS[kind])
        centre, half = (crop[:2] + crop[2:]) / 2, np.maximum(crop[2:] - crop[:2], 0.1) / 2
        crop = np.concatenate([centre - half, centre + half])
        row['mask'] = draw(kind, out['protos'], row['params'], row['around'], crop)
    rows = [row for row in rows if well_drawn(row)]
    if not rows:
        return []
    binary, boxes, outer = column(rows, 'mask') > 0.5, column(rows, 'boxes'), column(rows, 'around')
    masks = mask_iou(binary, binary)
    mean_mask, seen = mean_seen(masks, binary, binary, 5)
    mean_mask[((masks > 0.9) & seen).any(-1)] = 1
    mean_box, _ = mean_seen(iou(boxes, boxes), binary, binary, 5)
    outer = iou(outer, outer)
    found = []
    for label in range(len(rows[0]['scores'])):
        keys = [row['scores'][label] * row['centerness'] for row in rows]
        order = sorted(range(len(rows)), key=lambda i: -keys[i])
        for place, j in enumerate(order):
            better = order[:place]
            # the published models compare with the row at this place, not with row j
            overlap = 0.25 * mean_box[better, j] + 0.5 * mean_mask[better, j]
            overlap = overlap + 0.25 * outer[better, place]
            if keys[j] > 0.1 and not (overlap > 0.5).any():
                found.append(dict(rows[j], label=label, score=rows[j]['scores'][label]))
    return sorted(found, key=lambda row: -row['score'])


def linking_scores(found, tracks, mask, box, factor):
    """(N, M + 1), the last column for a new track."""
    scores = np.zeros((len(found), len(tracks) + 1))
    for n, row in enumerate(found):
        for m, track in enumerate(tracks):
            scores[n, m] = (
                (row['embed'] @ track['embed'] + 1) / 2
                + factor * 0.5 * (mask[n, m] + box[n, m])
                + 0.3 * (row['label'] == track['label'])
            )
        width, height = (row['boxes'][:, 2:] - row['boxes'][:, :2]).mean(0)
        scores[n, -1] = 0.5 + factor * (0.15 if width * height < 0.1 else 0.3) + 0.3
        scores[n] += 0.1 * row['score']
    return scores


def redraw(kind, track, protos, num_frames):
    """Step 2, in place."""
    crop = scaled(track['around'], 1.2)
    track['mask'] = draw(kind, protos, track['params'], track['around'], crop)
    track['score'] *= 0.9**num_frames
    track['around'] = track['boxes'][-1]
    track['boxes'] = np.repeat(track['boxes'][-1:], num_frames, 0)


def compare(kind, memory, found, frame_ids, protos):
    """Steps 1 to 4: matching scores; tracks are drawn again."""
    tracks = memory['tracks']
    pairs = [
        (n, m)
        for n, frame in enumerate(frame_ids)
        for m, last in enumerate(memory['frames'])
        if frame == last
    ]
    new_masks, new_boxes = column(found, 'mask') > 0.5, column(found, 'boxes')
    old_masks, old_boxes = column(tracks, 'mask') > 0.5, column(tracks, 'boxes')
    for track in tracks:
        redraw(kind, track, protos, len(frame_ids))
    if pairs:
        now, last = map(list, zip(*pairs))
        a, b = new_masks[:, now], old_masks[:, last]
        box, _ = mean_seen(iou(new_boxes[:, now], old_boxes[:, last]), a, b, 2)
    else:
        a, b = new_masks, column(tracks, 'mask') > 0.5
        box = iou(new_boxes[:, 0], column(tracks, 'boxes')[:, 0])
    mask, _ = mean_seen(mask_iou(a, b), a, b, 2)
    return linking_scores(found, tracks, mask, box, 2 if pairs else 1)


def link(kind, memory, found, frame_ids, protos):
    """Tracks that are shown for a clip; ``memory`` has ``tracks`` and ``frames``."""
    tracks = memory['tracks']
    old = len(tracks)
    best = np.zeros((len(found), 1))
    if found and tracks:
        best = compare(kind, memory, found, frame_ids, protos)
    claimed = {}
    for n in sorted(range(len(found)), key=lambda n: -best[n].max()):
        claimed.setdefault(best[n].argmax(), found[n])
    for m, track in enumerate(tracks):
        track['age'] += 1
        if m in claimed:
            track.update(claimed[m], age=0)
    for n, row in enumerate(found):
        if best[n].argmax() == old:
            tracks.append(dict(row, age=0, id=len(tracks)))
    if not found:
        return []
    memory['frames'] = frame_ids
    shown = max(3, 15 // len(frame_ids))
    return [
        track
        for track in tracks
        if track['age'] <= shown
        and track['score'] > 0.1
        and ((track['mask'] > 0.5).sum((1, 2)) > 3).any()
    ]


def full_size(mask, frame):
    """(H, W) bool at the size of the frame of one mask (h, w)."""
    shown, padded = shown_size(frame), network_input(frame).shape[1:]
    h, w = (own * part // whole for own, part, whole in zip(mask.shape, shown, padded))
    mask = torch.from_numpy(mask[:h, :w])[None, None]
    full = F.interpolate(mask, frame.shape[:2], mode='bilinear', align_corners=False)
    return full[0, 0].numpy() > 0.5


def tracks_of_video(kind, network, frames, num_frames, overlap):
    """Tracks of a video, best first.

    Args:
        kind (str): ``'yolact'`` or ``'condinst'``.
        network (Callable): Inputs (T, 3, H, W) to a dict of arrays: ``scores`` (T, A, K)
            probabilities, ``deltas`` (T, A, T, 4), ``centerness`` (T, A), ``params``, ``embeds``,
            ``protos`` (k, T, h, w) and ``sizes``, height and width of each level's map.
        frames (list[np.ndarray]): BGR.
        num_frames (int): T.
        overlap (int): To.

    Returns:
        list[dict]: ``score``, ``label`` and ``masks`` (F, H, W) bool of each, and ``redrawn``,
        the number of clips that showed it without having found it.
    """
    step, length = num_frames - overlap, len(frames)
    memory, votes, masks, redrawn = dict(tracks=[], frames=()), {}, {}, Counter()
    number = math.ceil(length / step)
    for index in range(number):
        start = index * step
        there = list(range(start, min(start + num_frames, length)))
        ids = [there[t % len(there)] for t in range(num_frames)]
        out = network(np.stack([network_input(frames[i]) for i in ids]))
        found = detect(kind, out, anchors(out['sizes']))
        written = there if index == number - 1 else there[:step]
        for track in link(kind, memory, found, ids, out['protos']):
            votes.setdefault(track['id'], []).append((track['score'], track['label']))
            redrawn[track['id']] += track['age'] > 0
            plane = masks.setdefault(
                track['id'], np.zeros((length, *frames[0].shape[:2]), dtype=bool)
            )
            for t, frame in enumerate(written):
                plane[frame] = full_size(track['mask'][t], frames[frame])
    tracks = []
    for key, given in votes.items():
        labels = Counter(label for _, label in given)
        label = min(labels, key=lambda each: (-labels[each], each))
        score = sum(score for score, _ in given) / len(given)
        tracks.append(
            dict(id=key, score=score, label=label, masks=masks[key], redrawn=redrawn[key])
        )
    return sorted(tracks, key=lambda track: (-track['score'], track['id']))
