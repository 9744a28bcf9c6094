"""Generate video that resembles real video, with exact masks, in the layout of YouTube-VIS.

    python tools/dataset_tools/make_natural_shapes.py --num-videos 1000 \\
        --out data/natural_shapes/train
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from natural_shapes import frames, random_film

from mmcico.datasets.moving_shapes.generate import (
    Record,
    claim_dataset,
    make_track,
    track_annotation,
    write_records,
)
from mmcico.utils.image_reading import write_jpeg
from mmcico.utils.tool import natural_int, positive_int, run_tool, tool_parser

#: objects with fewer visible pixels in a frame count as absent there
MIN_VISIBLE = 40
#: every such video is an easy one
EASY_EACH = 4
JPEG_QUALITY = (50, 96)


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('--out', required=True, type=Path, help='output folder')
    parser.add_argument('--num-videos', type=positive_int, default=1000)
    parser.add_argument('--num-frames', type=positive_int, default=4)
    parser.add_argument(
        '--size', type=positive_int, nargs=2, default=(128, 224), metavar=('H', 'W')
    )
    parser.add_argument('--seed', type=natural_int, default=0)
    parser.add_argument('--jobs', type=positive_int, default=1, help='processes that draw')
    args = parser.parse_args(argv)
    if min(args.size) < 32:
        parser.error(f'--size {args.size}: choose 32 pixels or more')
    return args


def write_video(index: int, out: Path, seed: int, size: tuple[int, int], num_frames: int) -> Record:
    """Write the frames of a video; return its entry and its annotations."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, index])
    film = random_film(rng, size, easy=index % EASY_EACH == 0)
    pictures, masks = zip(*frames(rng, film, num_frames))
    quality = int(rng.integers(*JPEG_QUALITY))
    names = [f'{index:05d}/{frame:05d}.jpg' for frame in range(num_frames)]
    for name, picture in zip(names, pictures):
        write_jpeg(out / 'JPEGImages' / name, picture, quality)
    video = dict(id=index + 1, height=size[0], width=size[1], length=num_frames, file_names=names)
    tracks = [
        make_track(0, full, visible, MIN_VISIBLE) for visible, full in zip(*np.stack(masks, axis=2))
    ]
    return video, [track_annotation(track) for track in tracks if track is not None]


def write_dataset(
    out: Path, num_videos: int, num_frames: int, size: tuple[int, int], seed: int, jobs: int = 1
) -> Path:
    """Write a data set and return the path of its annotation file.

    Args:
        out (Path): Folder.
        num_videos (int): Number of videos.
        num_frames (int): Frames of each video.
        size (tuple[int, int]): Height and width of the frames.
        seed (int): Decides everything that the videos show.
        jobs (int): Processes that draw.

    Raises:
        ValueError: If the folder has other data.
    """
    claim_dataset(out)
    draw = partial(write_video, out=out, seed=seed, size=size, num_frames=num_frames)
    records: Iterable[Record] = map(draw, range(num_videos))
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            records = list(pool.map(draw, range(num_videos), chunksize=8))
    info = dict(description='natural shapes', seed=seed)
    return write_records(out / 'instances.json', records, info, [dict(id=1, name='object')])


def main(argv: Sequence[str] | None = None) -> None:
    """Write the data set and print the path of its annotation file."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    size = (args.size[0], args.size[1])
    print(write_dataset(args.out, args.num_videos, args.num_frames, size, args.seed, args.jobs))


if __name__ == '__main__':
    sys.exit(run_tool(main))
