"""Random ground truth and results, full of overlaps and ties."""

from typing import Any

import numpy as np
from vis_files import ground_truth, rle

WORDS = ['no_occlusion', 'slight_occlusion', 'severe_occlusion', None]


def random_track(rng: np.random.Generator, length: int, size: tuple[int, int]) -> list[Any]:
    """Rectangles on a coarse grid, so that overlaps and ties are common."""
    height, width = size
    frames = []
    for _ in range(length):
        x, y = rng.integers(0, 3, 2) * (width // 4, height // 4)
        w, h = rng.integers(1, 3, 2) * (width // 4, height // 4)
        mask = np.zeros(size, bool)
        if rng.random() > 0.2:
            mask[y : y + h, x : x + w] = True
        frames.append(rle(mask))
    return frames


def random_case(seed: int) -> tuple[dict[str, Any], list[dict]]:
    """Ground truth and results of up to three videos and two classes."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 4, rng.integers(1, 4)).tolist()
    size = [(8, 12), (300, 400)][rng.integers(2)]
    truth = ground_truth([], lengths, size)
    results = []
    for _ in range(rng.integers(1, 7)):
        video = int(rng.integers(len(lengths)))
        place = dict(video_id=video, category_id=int(rng.integers(10, 12)))
        masks = random_track(rng, lengths[video], size)
        truth['annotations'].append(
            dict(
                place,
                id=len(truth['annotations']),
                iscrowd=int(rng.random() < 0.2),
                occlusion=random_levels(rng, lengths[video]),
                segmentations=masks,
            )
        )
        for _ in range(rng.integers(4)):
            if rng.random() < 0.5:
                masks = random_track(rng, lengths[video], size)
            score = int(rng.integers(6)) / 5
            results.append(dict(place, score=score, segmentations=masks))
    return truth, results


def random_levels(rng: np.random.Generator, length: int) -> list[str | None] | None:
    """OVIS' words for the frames, now and then none at all."""
    if rng.random() < 0.2:
        return None
    return [WORDS[i] for i in rng.integers(0, 4, length)]
