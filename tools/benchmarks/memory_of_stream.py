"""Measure the resident memory of a long stream.

    python tools/benchmarks/memory_of_stream.py MODEL.pth --out memory

A generated video runs forwards and backwards through ``CiCoInferencer.stream`` without end. The
benchmark reads the memory before the first frame and after every frame, and reports its rise. It
writes ``memory.json``, and the curve as ``memory.png``, or as ``memory.txt`` if matplotlib is not
installed. The exit code is 1 if the rise exceeds the limit. The default of 10,000 frames took 19
minutes with the demo model on a shared CPU core, which are 9 frames per second; ``--frames 600``
gives a first result.
"""

import argparse
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.apis import CiCoInferencer
from mmcico.apis.output_plan import check_writable
from mmcico.apis.outputs import TrackSink
from mmcico.datasets.moving_shapes import generate_video, make_config
from mmcico.utils.tool import positive_int, run_tool, tool_parser

MIB = 2**20
BAR = 50


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('weights', help='checkpoint')
    parser.add_argument('--model', help='config (default: that in the checkpoint)')
    parser.add_argument('--device', help='device, such as cpu or cuda:0')
    parser.add_argument('--frames', type=positive_int, default=10000)
    parser.add_argument(
        '--size',
        type=positive_int,
        nargs=2,
        default=[360, 640],
        metavar=('H', 'W'),
        help='size of the frames',
    )
    parser.add_argument(
        '--input-size',
        type=positive_int,
        nargs=2,
        metavar=('H', 'W'),
        help='size of the input of the model (default: that of the config)',
    )
    parser.add_argument('--objects', type=positive_int, default=5)
    parser.add_argument(
        '--distinct', type=positive_int, default=30, help='number of frames that are generated'
    )
    parser.add_argument(
        '--every',
        type=positive_int,
        default=20,
        help='number of frames between two points of the curve',
    )
    parser.add_argument('--limit', type=float, default=1.5, help='allowed rise in GiB')
    parser.add_argument(
        '--tracks',
        action='store_true',
        help='also keep the encoded tracks, as for a file of results',
    )
    parser.add_argument('--out', default='memory_of_stream')
    return parser.parse_args(argv)


def resident() -> float:
    """Return the resident memory of this process in MiB; on other systems than Linux, the peak."""
    statm = Path('/proc/self/statm')
    if statm.exists():
        pages = int(statm.read_text().split()[1])
        return pages * os.sysconf('SC_PAGE_SIZE') / MIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == 'darwin' else 1024)


def forwards_and_backwards(frames: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the frames 0, 1, ..., n - 1, n - 2, ..., 1, 0, 1, ... without end."""
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    while True:
        for index in order:
            # a camera returns a new array for each frame, too
            yield frames[index].copy()


def endless_video(args: argparse.Namespace) -> Iterator[np.ndarray]:
    """Return the frames of a generated video without end."""
    config = make_config(
        'easy',
        num_frames=args.distinct,
        size=tuple(args.size),
        objects=(args.objects, args.objects),
    )
    frames, _ = generate_video(7, 0, config)
    return forwards_and_backwards(frames)


def load(args: argparse.Namespace) -> CiCoInferencer:
    """Build the inferencer, with another size of the input if one is given."""
    inferencer = CiCoInferencer(args.model, args.weights, args.device, show_progress=False)
    if args.input_size is not None:
        for step in inferencer.cfg.test_dataloader.dataset.pipeline:
            for inner in step.get('transforms', []):
                if inner['type'] == 'Resize':
                    inner['scale'] = tuple(args.input_size[::-1])
        inferencer.clips.pipeline = inferencer._init_pipeline(inferencer.cfg)
    return inferencer


def measure(args: argparse.Namespace, inferencer: CiCoInferencer) -> dict[str, Any]:
    """Run the stream.

    Returns:
        dict: ``start`` in MiB, ``curve`` (frames and MiB above the start), ``seconds``, and
        ``objects``, the mean number of instances found in a frame.
    """
    video = islice(endless_video(args), args.frames)
    tracks = TrackSink('stream', inferencer.classes, inferencer.category_ids)
    gc.collect()
    start, curve, found, began = resident(), [], 0, time.perf_counter()
    highest = 0.0
    for done, result in enumerate(inferencer.stream(video, 'stream'), 1):
        found += len(result.sample.pred_track_instances)
        if args.tracks:
            tracks.write(result)
        # peaks between two points of the curve count, too
        highest = max(highest, resident() - start)
        if done % args.every == 0 or done == args.frames:
            curve.append([done, round(highest, 1)])
            highest = 0.0
            print(
                f'\r{done}/{args.frames} frames, '
                f'{done / (time.perf_counter() - began):.2f} frames/s, '
                f'{curve[-1][1]:+.0f} MiB',
                end='',
                file=sys.stderr,
                flush=True,
            )
    print(file=sys.stderr)
    return dict(
        start=round(start, 1),
        seconds=round(time.perf_counter() - began, 1),
        objects=round(found / args.frames, 2),
        curve=curve,
    )


def slope(curve: list[list[float]]) -> float:
    """Return the slope of the second half of a curve in MiB per 1000 frames."""
    half = np.asarray(curve[len(curve) // 2 :], dtype=float)
    if len(half) < 2:
        return 0.0
    return float(np.polyfit(half[:, 0], half[:, 1], 1)[0] * 1000)


def text_curve(curve: list[list[float]], lines: int = 25) -> str:
    """Return a curve as lines with bars."""
    step = -(-len(curve) // lines)
    shown = [curve[min(i + step, len(curve)) - 1] for i in range(0, len(curve), step)]
    top = max(1.0, *(value for _, value in curve))
    rows = [
        f'{frames:>7} {value:>8.1f} ' + '#' * round(BAR * max(value, 0) / top)
        for frames, value in shown
    ]
    return '\n'.join([' frames      MiB over the start', *rows]) + '\n'


def write_curve(found: dict[str, Any], out: str) -> str:
    """Draw the curve; return the path of the picture, or of a text without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        path = Path(f'{out}.txt')
        path.write_text(text_curve(found['curve']))
        return str(path)
    figure = Figure(figsize=(8, 3.5), layout='constrained')
    axes = figure.subplots()
    axes.plot(*zip(*found['curve']), label='resident memory over the start')
    axes.axhline(found['limit'], color='gray', linestyle='--', label='limit')
    axes.set(xlabel='frames', ylabel='MiB', ylim=(0, found['limit'] * 1.1))
    axes.legend()
    figure.savefig(f'{out}.png', dpi=120)
    return f'{out}.png'


def main(argv: Sequence[str]) -> None:
    """Measure the stream and write the results."""
    args = parse_args(argv)
    check_writable(Path(args.out).parent)
    found = measure(args, load(args))
    peak = max(value for _, value in found['curve'])
    found = dict(
        settings=dict(
            frames=args.frames,
            size=args.size,
            input_size=args.input_size,
            objects=args.objects,
            tracks=args.tracks,
        ),
        limit=args.limit * 1024,
        peak=peak,
        slope=round(slope(found['curve']), 2),
        **found,
    )
    Path(f'{args.out}.json').write_text(json.dumps(found) + '\n')
    path = write_curve(found, args.out)
    print(text_curve(found['curve']))
    print(
        f'start {found["start"]:.0f} MiB, at most {peak:.0f} MiB more, '
        f'{found["slope"]:+.1f} MiB per 1000 frames in the second half; '
        f'{found["objects"]} objects a frame, {found["seconds"]:.0f} s'
    )
    print(f'{args.out}.json\n{path}')
    if peak > args.limit * 1024:
        raise ValueError(f'a rise of {peak:.0f} MiB is above the limit of {args.limit} GiB')


if __name__ == '__main__':
    sys.exit(run_tool(main))
