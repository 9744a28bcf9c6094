"""Small ground truth and results: of rectangles, and golden ones."""

import gzip
import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.formats.rle import as_json, encode_masks

DATA = Path(__file__).parents[1] / 'data'
SIZE = (8, 10)
IDS = count()
Box = tuple[int, int, int, int] | None  # x1, y1, x2, y2, ends exclusive


def golden(kind: str = 'ytvis') -> list[Any]:
    """Ground truth, results, and what the official tool says of them."""
    folder = DATA / f'metric_{kind}'
    packed = [
        json.loads(gzip.decompress((folder / f'{name}.json.gz').read_bytes()))
        for name in ('gt', 'results')
    ]
    return [*packed, json.loads((folder / 'expected.json').read_text())]


def write_golden(folder: Path) -> None:
    """``gt.json`` and ``results.json`` of the golden files."""
    for name, content in zip(('gt', 'results'), golden()):
        (folder / f'{name}.json').write_text(json.dumps(content))


def draw(box: Box, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W) bool."""
    mask = np.zeros(size, bool)
    if box is not None:
        mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def rle(mask: np.ndarray) -> dict[str, Any] | None:
    """Compressed RLE of an (H, W) mask, None if it is empty."""
    return as_json(encode_masks(mask[None])[0], mask.shape)


def segmentations(boxes: Sequence[Box], size: tuple[int, int] = SIZE) -> list[Any]:
    return [rle(draw(box, size)) for box in boxes]


def ground_truth(
    annotations: list | None = None,
    lengths: Sequence[int] = (2,),
    size: tuple[int, int] = SIZE,
    classes: int = 2,
) -> dict[str, Any]:
    """Videos 0, 1, ... and categories 10, 11, ..."""
    return dict(
        videos=[
            dict(id=i, height=size[0], width=size[1], length=length)
            for i, length in enumerate(lengths)
        ],
        categories=[dict(id=10 + i, name=f'class_{i}') for i in range(classes)],
        annotations=annotations,
    )


def annotation(
    boxes: Sequence[Box], category_id: int = 10, video_id: int = 0, **more: Any
) -> dict[str, Any]:
    return dict(
        id=next(IDS),
        video_id=video_id,
        category_id=category_id,
        segmentations=segmentations(boxes),
        **more,
    )


def result(
    boxes: Sequence[Box], score: float = 0.9, category_id: int = 10, video_id: int = 0
) -> dict[str, Any]:
    return dict(
        video_id=video_id, category_id=category_id, score=score, segmentations=segmentations(boxes)
    )
