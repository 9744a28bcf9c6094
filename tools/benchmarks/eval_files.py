"""Large generated files of ground truth and results, for measurements of speed.

Objects are blobs with rough edges that move over the frame. A few hundred blobs are drawn and
encoded; if a blob moves, only the first and the last run of its code change.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as mask_utils

FRAME = (720, 1280)
PHASES = 8  # number of drawings of a blob, which alternate while it moves
Labelled = tuple[int, list[Any]]  # category, masks


class Blob(NamedTuple):
    """A drawn blob whose code can be moved to any place.

    Attributes:
        size (int): Side of its square in pixels.
        area (int): Number of its pixels.
        runs (tuple[int, ...]): First, last and third last run of its code with the square at the
            upper left of a frame.
        body (str): Code of all other runs.
    """

    size: int
    area: int
    runs: tuple[int, int, int]
    body: str


def run_code(number: int) -> str:
    """Return a number as in compressed counts, with 5 bits per character."""
    code = ''
    while True:
        digit, number = number & 31, number >> 5
        done = number == (-1 if digit & 16 else 0)
        code += chr(48 + digit + (0 if done else 32))
        if done:
            return code


def draw_blobs(rng: np.random.Generator, diameter: float) -> list[Blob]:
    """Return drawings of a blob whose border changes slowly."""
    size = int(diameter * 1.5)
    grid = np.indices((size, size)) - (size - 1) / 2
    angle, distance = np.arctan2(*grid), np.hypot(*grid)
    waves = np.arange(2, 7)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (5, 1, 1))
    heights = rng.uniform(0, 0.08, (5, 1, 1))
    turns = rng.uniform(-0.3, 0.3, (5, 1, 1))
    blobs = []
    for step in range(PHASES):
        wobble = (heights * np.sin(waves * angle + phase + step * turns)).sum(0)
        rough = rng.normal(0, 0.012, (size, size))
        mask = distance < diameter / 2 * (1 + wobble + rough)
        mask[0] = mask[-1] = mask[:, 0] = mask[:, -1] = False
        blobs.append(encode_blob(mask))
    return blobs


def encode_blob(mask: np.ndarray) -> Blob:
    """Encode a (size, size) bool mask at the upper left of a frame."""
    frame = np.zeros(FRAME, np.uint8, order='F')
    frame[: mask.shape[0], : mask.shape[1]] = mask
    text = mask_utils.encode(frame)['counts'].decode()
    pixels = frame.ravel(order='F')
    edges = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    runs = np.diff(np.concatenate([[0], edges, [pixels.size]])).tolist()
    first, last = run_code(runs[0]), run_code(runs[-1] - runs[-3])
    body = text[len(first) : len(text) - len(last)]
    return Blob(len(mask), int(mask.sum()), (runs[0], runs[-1], runs[-3]), body)


def place(blob: Blob, top: int, left: int) -> dict[str, Any]:
    """Return the run-length code of a blob at a place of the frame."""
    first, last, third_last = blob.runs
    shift = left * FRAME[0] + top
    counts = run_code(first + shift) + blob.body + run_code(last - shift - third_last)
    return dict(size=[*FRAME], counts=counts)


def wander(rng: np.random.Generator, length: int, size: int) -> np.ndarray:
    """Return the upper left corners (length, 2) of a square that moves within the frame."""
    room = np.array(FRAME) - size
    start = rng.uniform(0, room)
    path = start + np.cumsum(rng.normal(rng.normal(0, 4, 2), 2, (length, 2)), axis=0)
    return np.clip(path, 0, room).astype(int)


def track(rng: np.random.Generator, blobs: list[Blob], path: np.ndarray) -> list[Any]:
    """Return the masks of a blob along a path, None for frames in which it is absent."""
    length, start = len(path), rng.integers(PHASES)
    absent = rng.integers(length), rng.integers(length // 3 + 1)
    return [
        None
        if absent[0] <= t < sum(absent)
        else place(blobs[(start + t) % PHASES], *path[t].tolist())
        for t in range(length)
    ]


def near(rng: np.random.Generator, path: np.ndarray, size: int) -> np.ndarray:
    """Return a path so near to another one that the blobs overlap."""
    away = rng.normal(0, size * rng.uniform(0.01, 0.15), 2)
    return np.clip(path + away, 0, np.array(FRAME) - size).astype(int)


class Plan(NamedTuple):
    """Content of the files.

    Attributes:
        videos (int): Number of videos.
        length (int): Number of frames of a video.
        objects (int): Number of objects of a video.
        predictions (int): Number of predictions of a video.
        classes (int): Number of classes in the files.
        classes_per_video (int): Number of classes of the objects of a video; with fewer classes,
            more pairs are compared.
    """

    videos: int = 300
    length: int = 36
    objects: int = 10
    predictions: int = 30
    classes: int = 40
    classes_per_video: int = 2


def write_eval_files(folder: Path, plan: Plan = Plan(), seed: int = 0) -> tuple[Path, Path]:
    """Write ``gt.json`` and ``results.json`` in the layout of YouTube-VIS.

    Two thirds of the predictions follow an object, the others follow none; most have the right
    class.

    Args:
        folder (Path): Existing folder for the files.
        plan (Plan): Content of the files.
        seed (int): Seed of the random numbers.

    Returns:
        tuple[Path, Path]: Paths of the ground truth and of the results.
    """
    rng = np.random.default_rng(seed)
    shapes = [draw_blobs(rng, diameter) for diameter in rng.permutation(np.geomspace(40, 160, 40))]
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for video in range(1, plan.videos + 1):
        objects, tracks = draw_video(rng, shapes, plan)
        for category, masks in objects:
            annotations.append(annotation(len(annotations) + 1, video, category, masks))
        for category, masks in tracks:
            results.append(
                dict(
                    video_id=video,
                    category_id=category,
                    score=round(float(rng.random()), 6),
                    segmentations=masks,
                )
            )
    truth = dict(
        videos=[video_entry(i, plan.length) for i in range(1, plan.videos + 1)],
        categories=[dict(id=i, name=f'class_{i}') for i in range(1, plan.classes + 1)],
        annotations=annotations,
    )
    paths = folder / 'gt.json', folder / 'results.json'
    for path, content in zip(paths, (truth, results)):
        path.write_text(json.dumps(content), encoding='utf-8')
    return paths


def draw_video(
    rng: np.random.Generator, shapes: list[list[Blob]], plan: Plan
) -> tuple[list[Labelled], list[Labelled]]:
    """Return categories and masks of the objects and of the predictions of a video."""
    kinds = rng.permutation(plan.classes)[: plan.classes_per_video] + 1
    shown, objects, tracks = [], [], []
    for _ in range(plan.objects):
        blobs = shapes[rng.integers(len(shapes))]
        path = wander(rng, plan.length, blobs[0].size)
        shown.append((blobs, path, int(rng.choice(kinds))))
        objects.append((shown[-1][2], track(rng, blobs, path)))
    for number in range(plan.predictions):
        blobs, path, category = shown[number % plan.objects]
        if number >= plan.predictions * 2 // 3:
            path = wander(rng, plan.length, blobs[0].size)
        if rng.random() < 0.15:
            category = int(rng.integers(1, plan.classes + 1))
        beside = near(rng, path, blobs[0].size)
        tracks.append((category, track(rng, blobs, beside)))
    return objects, tracks


def video_entry(number: int, length: int) -> dict[str, Any]:
    """Return an entry of ``videos``."""
    return dict(
        id=number,
        height=FRAME[0],
        width=FRAME[1],
        length=length,
        file_names=[f'{number:04d}/{t * 5:05d}.jpg' for t in range(length)],
    )


def annotation(number: int, video: int, category: int, masks: list[Any]) -> dict[str, Any]:
    """Return an entry of ``annotations`` with areas and boxes, as in the official files."""
    seen = [mask for mask in masks if mask is not None]
    areas = iter(mask_utils.area(seen).tolist())
    boxes = iter(mask_utils.toBbox(seen).tolist())
    return dict(
        id=number,
        video_id=video,
        category_id=category,
        iscrowd=0,
        segmentations=masks,
        areas=[None if mask is None else next(areas) for mask in masks],
        bboxes=[None if mask is None else next(boxes) for mask in masks],
    )
