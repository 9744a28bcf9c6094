"""Measure the time of temporal_coherence.py on a set as large as YouTube-VIS 2019 train.

    python tools/benchmarks/coherence_benchmark.py

The benchmark writes an annotation file of generated objects (60,000 frames of 720 x 1280 and 4,900
objects by default) and runs the tool on it in a process of its own. The objects are blobs with
ragged edges that move and change, so that masks have as many runs as real ones. It needs only NumPy
and pycocotools.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from pycocotools import mask as mask_api

from mmcico.utils.tool import natural_int, positive_int, run_tool, tool_parser

TOOL = Path(__file__).resolve().parent / 'temporal_coherence.py'
SIZE = (720, 1280)


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('--frames', type=positive_int, default=60000)
    parser.add_argument('--objects', type=positive_int, default=4900)
    parser.add_argument(
        '--length', type=positive_int, default=27, help='number of frames of a video'
    )
    parser.add_argument(
        '--compressed',
        action='store_true',
        help='write compressed RLE instead of lists of runs, which the official files have',
    )
    parser.add_argument('--seed', type=natural_int, default=0)
    parser.add_argument('--keep', help='path at which to keep the annotation file')
    return parser.parse_args(argv)


def blob_runs(
    centre: np.ndarray, radii: np.ndarray, edge: np.ndarray, size: tuple[int, int]
) -> list[int]:
    """Return the run lengths of an ellipse with ragged upper and lower edges.

    Args:
        centre (np.ndarray): (2,) y and x of the centre in pixels.
        radii (np.ndarray): (2,) radii along y and x in pixels.
        edge (np.ndarray): (W, 2) shifts of the upper and lower end of each column in pixels.
        size (tuple[int, int]): Height and width.
    """
    height, width = size
    x = np.arange(max(0, int(centre[1] - radii[1])), min(width, int(centre[1] + radii[1]) + 1))
    half = radii[0] * np.sqrt(np.maximum(1 - ((x - centre[1]) / radii[1]) ** 2, 0))
    top = np.clip(centre[0] - half + edge[x, 0], 0, height - 1).astype(int)
    bottom = np.clip(centre[0] + half + edge[x, 1], 0, height - 1).astype(int)
    bottom = np.maximum(bottom, top)
    changes = np.stack([x * height + top, x * height + bottom + 1], axis=1)
    changes = np.concatenate([[0], changes.reshape(-1), [height * width]])
    runs = np.diff(changes)
    return runs[:-1].tolist() if runs[-1] == 0 else runs.tolist()


def make_object(
    number: int, video: int, length: int, is_compressed: bool, rng: np.random.Generator
) -> dict:
    """Return an annotation; about a tenth of the objects are absent for a while."""
    height, width = SIZE
    radii = rng.uniform([60, 80], [200, 300])
    centre = rng.uniform([200, 300], [height - 200, width - 300])
    edge = rng.normal(0, 3, (width, 2))
    speed = rng.normal(0, 8, 2)
    away = range(length // 3, length // 2) if rng.random() < 0.1 else range(0)
    masks, boxes = [], []
    for t in range(length):
        centre = np.clip(centre + speed, 150, [height - 150, width - 150])
        edge = 0.8 * edge + rng.normal(0, 2, (width, 2))
        runs = blob_runs(centre, radii * rng.uniform(0.95, 1.05), edge, SIZE)
        rle = dict(size=[*SIZE], counts=runs)
        code = mask_api.frPyObjects(rle, *SIZE)
        if is_compressed:
            rle['counts'] = code['counts'].decode()
        masks.append(None if t in away else rle)
        boxes.append(None if t in away else mask_api.toBbox(code).tolist())
    return dict(
        id=number, video_id=video, category_id=1, iscrowd=0, segmentations=masks, bboxes=boxes
    )


def write_set(file: TextIO, args: argparse.Namespace) -> None:
    """Write the annotation file, one object after another."""
    rng = np.random.default_rng(args.seed)
    videos = max(1, round(args.frames / args.length))
    records = [
        dict(
            id=v,
            height=SIZE[0],
            width=SIZE[1],
            length=args.length,
            file_names=[f'{v}/{t:05d}.jpg' for t in range(args.length)],
        )
        for v in range(videos)
    ]
    head = dict(videos=records, categories=[dict(id=1, name='blob')])
    file.write(json.dumps(head)[:-1] + ', "annotations": [')
    for number in range(args.objects):
        one = make_object(number, number % videos, args.length, args.compressed, rng)
        file.write((', ' if number else '') + json.dumps(one))
    file.write(']}')


def main(argv: Sequence[str]) -> None:
    """Run the tool on a generated file and print time and memory."""
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(args.keep or Path(folder) / 'blobs.json')
        with path.open('w') as file:
            write_set(file, args)
        print(f'annotation file: {path.stat().st_size / 2**20:.0f} MiB')
        start = time.perf_counter()
        subprocess.run([sys.executable, str(TOOL), str(path)], check=True)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f'{seconds:.1f} s, of one core {used.ru_utime + used.ru_stime:.1f} s; peak memory '
        f'{used.ru_maxrss / 2**10:.0f} MiB'
    )


if __name__ == '__main__':
    sys.exit(run_tool(main))
