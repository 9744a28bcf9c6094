"""Inputs of the answers in ``tests/data/published``, made from seeds.

``state_dict`` gives a checkpoint with the published names and shapes, ``clip``
a normalised input clip, ``head_outputs`` raw outputs of the prediction heads
for a short video in which objects move, hide, come back and cross. The order
of the random numbers is part of the answers.
"""

import zlib

import numpy as np
import torch

SIZE = (96, 160)  # height and width of the input
STRIDES = (8, 16, 32, 64, 128)
RATIOS = (1.0, 0.5, 2.0)  # width : height, the order of a cell's anchors


def random(shape, generator):
    return torch.randn(shape, generator=generator)


def parameter(name, shape, g):
    """A value that keeps activations of order one."""
    leaf = name.rsplit('.', 1)[-1]
    if leaf == 'num_batches_tracked':
        return torch.zeros((), dtype=torch.long)
    if leaf == 'running_var':
        return 1 + 0.1 * torch.rand(shape, generator=g)
    if leaf == 'bias' or leaf.endswith(('bias_table', 'running_mean')):
        return 0.05 * random(shape, g)
    if len(shape) == 1:  # weight of a norm
        return 1 + 0.1 * random(shape, g)
    gain = 0.8 if name.startswith(('backbone', 'fpn')) else 1.3
    return random(shape, g) * (gain / int(np.prod(shape[1:])) ** 0.5)


def state_dict(keys, seed=0):
    """Random parameters by name, for names and shapes."""
    out = {}
    for name, shape in keys.items():
        if not name.endswith('relative_position_index'):
            code = zlib.crc32(f'{seed}:{name}'.encode())
            out[name] = parameter(name, shape, torch.Generator().manual_seed(code))
    return out


def clip(seed=0, frames=3):
    """(T, 3, 96, 160) normalised frames."""
    g = torch.Generator().manual_seed(1000 + seed)
    base = random((1, 3, *SIZE), g)
    return base + 0.3 * random((frames, 3, *SIZE), g)


def priors():
    """(969, 4) anchors cx, cy, w, h as shares of the input."""
    rows = []
    for stride in STRIDES:
        h, w = -(-SIZE[0] // stride), -(-SIZE[1] // stride)
        rows += [
            [(i + 0.5) / w, (j + 0.5) / h, 3 * r**0.5 / w, 3 / r**0.5 / h]
            for j in range(h)
            for i in range(w)
            for r in RATIOS
        ]
    return torch.tensor(rows)


def area(boxes):
    return (boxes[:, 2:] - boxes[:, :2]).prod(-1)


def iou_with(anchors, box):
    """(A,) IoU of anchors (A, 4) with one box."""
    low = torch.maximum(anchors[:, :2], box[:2])
    high = torch.minimum(anchors[:, 2:], box[2:])
    inter = (high - low).clamp(min=0).prod(-1)
    return inter / (area(anchors) + area(box[None]) - inter)


def scene(seed, num_frames):
    """Four objects: label, boxes (F, 4) and visible (F,)."""
    rng = np.random.default_rng(seed)
    objects = []
    for k in range(4):
        centre, speed = rng.uniform(0.2, 0.8, 2), rng.uniform(-0.03, 0.03, 2)
        size = rng.uniform(0.2, 0.45, 2)
        places = [np.clip(centre + speed * t, 0.12, 0.88) for t in range(num_frames)]
        boxes = np.array([[*(p - size / 2), *(p + size / 2)] for p in places])
        visible = np.ones(num_frames, dtype=bool)
        if k == 1:
            visible[4:8] = False  # hides and comes back
        if k == 2:
            visible[:5] = False  # enters late
        if seed >= 100:
            visible[8:13] = False  # nothing to see for a while
        objects.append(
            dict(label=int(rng.integers(0, 25)), boxes=np.clip(boxes, 0, 1), visible=visible)
        )
    return objects


def blob(box):
    """(24, 40) bump over a box."""
    ys = (torch.arange(24) + 0.5) / 24
    xs = (torch.arange(40) + 0.5) / 40
    x1, y1, x2, y2 = box
    rx = ((xs[None] - (x1 + x2) / 2) / ((x2 - x1) / 2)) ** 2
    ry = ((ys[:, None] - (y1 + y2) / 2) / ((y2 - y1) / 2)) ** 2
    return 12 * (1.15 - (rx + ry)).clamp(0, 1)


def mask_params(kind, index):
    """Parameters that draw prototype ``index``."""
    if kind == 'yolact':
        theta = torch.zeros(32)
        theta[index], theta[31] = 0.9, -0.8
        return theta
    first = torch.zeros(8, 9)
    first[range(8), range(1, 9)] = 1
    last = torch.zeros(8)
    last[index], last[7] = 1.5, -1.0
    parts = [first, torch.eye(8), last, torch.zeros(17)]
    return torch.cat([part.flatten() for part in parts])


def background(g, frames, num_anchors, kind, softmax, num_classes):
    """Outputs where there is no object; background class first."""
    count = 161 if kind == 'condinst' else 32
    loc = 0.3 * random((frames, num_anchors, 4 * frames), g)
    conf = -4 + 0.3 * random((frames, num_anchors, num_classes + softmax), g)
    if softmax:
        conf[..., 0] = 4
    out = dict(
        loc=loc,
        conf=conf,
        centerness=torch.rand(frames, num_anchors, 1, generator=g) * 0.2,
        track=random((frames, num_anchors, 64), g),
        mask_coeff=0.05 * random((frames, num_anchors, count), g),
    )
    planes = 8 if kind == 'condinst' else 32
    out['proto'] = 0.05 * torch.rand(24, 40, frames, planes, generator=g)
    out['proto'][..., -1] = 5.0  # a constant plane, for the bias
    return out


def add_object(out, g, embed, label, boxes, t, theta, softmax):
    """Let the anchors near an object in frame t speak of it."""
    anchors = priors()
    xyxy = torch.cat([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], 1)
    iou = iou_with(xyxy, boxes[t])
    hit = (iou > 0.45).nonzero()[:, 0]
    if len(hit) == 0:
        hit = iou.argmax()[None]
    count = len(hit)
    for s, box in enumerate(boxes):
        b = box.expand(count, 4)
        centre = (b[:, :2] + b[:, 2:]) / 2 - anchors[hit, :2]
        size = torch.log((b[:, 2:] - b[:, :2]) / anchors[hit, 2:]) / 0.2
        delta = torch.cat([centre / (0.1 * anchors[hit, 2:]), size], 1)
        out['loc'][t, hit, 4 * s : 4 * s + 4] = delta + 0.1 * random((count, 4), g)
    noise = 0.02 * torch.rand(count, generator=g)
    out['conf'][t, hit, label + softmax] = -1 + 5 * iou[hit] + noise
    if softmax:
        out['conf'][t, hit, 0] = 0
    noise = 0.02 * torch.rand(count, generator=g)
    out['centerness'][t, hit, 0] = 0.4 + 0.5 * iou[hit] + noise
    out['track'][t, hit] = embed + 0.25 * random((count, 64), g)
    out['mask_coeff'][t, hit] = theta + 0.02 * random((count, len(theta)), g)


def head_outputs(seed, index, frames, overlap, kind, softmax, num_classes):
    """Raw outputs for clip ``index`` of a video, as the published heads give.

    Returns:
        dict: ``loc`` (T, A, 4T), ``conf`` (T, A, C) logits, ``centerness``
        (T, A, 1), ``track`` (T, A, 64), ``mask_coeff`` (T, A, k'),
        ``proto`` (24, 40, T, k), ``frame_ids``.
    """
    start = index * (frames - overlap)
    frame_ids = list(range(start, start + frames))
    g = torch.Generator().manual_seed(seed * 1000 + index)
    out = background(g, frames, len(priors()), kind, softmax, num_classes)
    for o, obj in enumerate(scene(seed, start + frames + 20)):
        boxes = torch.tensor(obj['boxes'][frame_ids], dtype=torch.float32)
        own = torch.Generator().manual_seed(seed * 77 + o)
        embed = random(64, own)
        shown = obj['visible'][frame_ids].nonzero()[0]
        for t in shown:
            out['proto'][..., t, o] = blob(boxes[t])
        for t in shown:
            add_object(out, g, embed, obj['label'], boxes, t, mask_params(kind, o), softmax)
    out['track'] = torch.nn.functional.normalize(out['track'], dim=-1)
    return dict(out, frame_ids=frame_ids)
