"""Measure whether drawing and writing pictures slows the model down.

    python tools/benchmarks/drawing_benchmark.py CONFIG CHECKPOINT \
        video.mp4 --style full

The benchmark prints the time per frame of the model, of drawing and of writing alone, and of all
three as the inferencer runs them, with writing in the background.
"""

import argparse
import os.path as osp
import sys
import time
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory

import numpy as np

from mmcico.apis import CiCoInferencer, FrameResult, open_source
from mmcico.apis.output_plan import OutputPlan
from mmcico.apis.outputs import drawn_frames
from mmcico.utils.tool import run_tool, tool_parser
from mmcico.visualization.picture_files import write_video
from mmcico.visualization.style import DrawStyle

STYLES = dict(
    plain=DrawStyle(min_side=1),
    full=DrawStyle(min_side=1, boxes=True, circumscribed=True, trail=20),
)


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('source', help='video file, folder or glob of images')
    parser.add_argument('--style', choices=list(STYLES), default='full')
    parser.add_argument('--score-thr', type=float, default=0.3, help='lowest score that is drawn')
    parser.add_argument('--device', help='device, such as cpu or cuda:0')
    return parser.parse_args(argv)


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(
    inferencer: CiCoInferencer, frames: list[np.ndarray], args: argparse.Namespace
) -> dict[str, float]:
    """Return the seconds per frame of ``model``, ``drawing``, ``writing`` and ``together``.

    Args:
        inferencer (CiCoInferencer): Inferencer with the model.
        frames (list[ndarray]): Frames of the video.
        args (Namespace): Arguments of the command line.
    """
    style, classes = STYLES[args.style], inferencer.classes
    list(inferencer.stream(frames[: inferencer.clips.num_frames]))  # warm up
    results: list[FrameResult] = []
    pictures: list[np.ndarray] = []

    def together() -> None:
        plan = OutputPlan(folder, ('video',), args.score_thr, style)
        source = open_source(frames)
        with plan.sinks(source, classes)[0] as sink:
            for result in inferencer.stream(source):
                sink.write(result)

    with TemporaryDirectory() as folder:
        path = osp.join(folder, 'alone.mp4')
        found = dict(
            model=seconds(lambda: results.extend(inferencer.stream(frames))),
            drawing=seconds(
                lambda: pictures.extend(drawn_frames(results, classes, args.score_thr, style))
            ),
            writing=seconds(lambda: write_video(path, pictures, 10)),
            together=seconds(together),
        )
    return {name: value / len(frames) for name, value in found.items()}


def main(argv: Sequence[str]) -> None:
    """Measure and print a line for each part."""
    args = parse_args(argv)
    frames = list(open_source(args.source))
    inferencer = CiCoInferencer(args.config, args.checkpoint, args.device)
    times = measure(inferencer, frames, args)
    height, width = frames[0].shape[:2]
    print(f'{len(frames)} frames of {height} x {width}, style {args.style}')
    for name, value in times.items():
        print(f'{name:<9}{value * 1e3:8.1f} ms a frame {value / times["model"]:7.1%} of the model')


if __name__ == '__main__':
    sys.exit(run_tool(main))
