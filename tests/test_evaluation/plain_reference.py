"""The definitions of YouTube-VIS in plain, slow words, on decoded masks."""

from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

THRS = [0.5 + 0.05 * i for i in range(10)]
# name -> areas, occlusion
RANGES = {
    '': ((0, 1e10), (0, 1)),
    's': ((0, 128**2), (0, 1)),
    'm': ((128**2, 256**2), (0, 1)),
    'l': ((256**2, 1e10), (0, 1)),
    '_light': ((0, 1e10), (0, 0.25)),
    '_medium': ((0, 1e10), (0.25, 0.5)),
    '_heavy': ((0, 1e10), (0.5, 1)),
}
LEVELS = dict(no_occlusion=0, slight_occlusion=0.25, severe_occlusion=0.75)


def decode(track, size) -> np.ndarray:
    """(T, H, W) bool."""
    return np.stack(
        [
            np.zeros(size, bool)
            if each is None
            else mask_utils.decode(dict(each, counts=each['counts'].encode())).astype(bool)
            for each in track['segmentations']
        ]
    )


def mean_area(masks) -> float:
    areas = [mask.sum() for mask in masks if mask.any()]
    return float(np.mean(areas)) if areas else 0.0


def hidden(words) -> float:
    """Mean of the more hidden half of the frames, rounded up."""
    scores = sorted([LEVELS[each] for each in words or [] if each], reverse=True)
    worst = scores[: -(-len(scores) // 2)]
    return sum(worst) / len(worst) if worst else 0.0


def counts(each, part) -> bool:
    """Whether an object is to be found in a group."""
    masks, crowd, occlusion = each
    (small, large), (low, high) = RANGES[part]
    return not crowd and small <= mean_area(masks) <= large and low <= occlusion <= high


def outcomes(objects, predictions, thr, part, limit) -> list[tuple]:
    """(score, found, ignored) of the predictions of one video and class."""
    predictions = sorted(predictions, key=lambda each: -each[1])[:limit]
    ignored = [not counts(each, part) for each in objects]
    low, high = RANGES[part][0]
    taken, rows = set(), []
    for masks, score in predictions:
        near = []
        for index, (other, crowd, _) in enumerate(objects):
            union = (masks | other).sum()
            iou = (masks & other).sum() / union if union else 0
            if iou >= min(thr, 1 - 1e-10) and (crowd or index not in taken):
                near.append((not ignored[index], iou, index))
        if near:
            counted, _, index = max(near)
            taken.add(index)
            rows.append((score, True, not counted))
        else:
            rows.append((score, False, not low <= mean_area(masks) <= high))
    return rows


def average_precision(rows, num) -> float:
    rows = [row for row in sorted(rows, key=lambda row: -row[0]) if not row[2]]
    right, points = 0, []
    for place, (_, found, _) in enumerate(rows, start=1):
        right += found
        points.append((right / num, right / place))
    return float(
        np.mean(
            [max([p for r, p in points if r >= i / 100 - 1e-12], default=0) for i in range(101)]
        )
    )


def reference(truth: dict[str, Any], results: list[dict]) -> dict[str, Any]:
    """AP and AR of all groups; None without ground truth."""
    sizes = {v['id']: (v['height'], v['width']) for v in truth['videos']}
    sets = {}
    for source in (truth['annotations'], results):
        for each in source:
            key = each['video_id'], each['category_id']
            lists = sets.setdefault(key, ([], []))
            masks = decode(each, sizes[each['video_id']])
            if 'score' in each:
                lists[1].append((masks, each['score']))
            else:
                lists[0].append((masks, bool(each.get('iscrowd')), hidden(each.get('occlusion'))))
    answer = {}
    for part in RANGES:
        for limit in (1, 10, 100) if part == '' else (100,):
            aps, recalls = [], []
            for category in truth['categories']:
                chosen = [
                    sets[v['id'], category['id']]
                    for v in truth['videos']
                    if (v['id'], category['id']) in sets
                ]
                num = sum(counts(each, part) for objects, _ in chosen for each in objects)
                if not num:
                    continue
                for thr in THRS:
                    rows = [
                        row
                        for objects, predictions in chosen
                        for row in outcomes(objects, predictions, thr, part, limit)
                    ]
                    aps.append(average_precision(rows, num))
                    recalls.append(sum(f and not i for _, f, i in rows) / num)
            if limit == 100:
                answer[f'AP{part}'] = np.mean(aps) if aps else None
            name = f'AR{part or limit}'
            answer[name] = np.mean(recalls) if recalls else None
    return answer
