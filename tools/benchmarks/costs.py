"""Measure how time and memory depend on clip length, objects, resolution and video length.

    python tools/benchmarks/costs.py --plot docs/en/images/costs.png --out costs.json

The first three measurements use one config with random weights, whose candidates are the anchors
nearest to the objects of a generated video (three per visible object of a clip). They give the time
per new frame in clips after the first, including linking. The last measurement runs a small model
on a video of 50 frames that plays forwards and backwards, without reading files, and gives the time
per frame and the peak memory.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from mmcico.utils.files import write_whole
from mmcico.utils.tool import markdown_table, positive_int, run_tool, tool_parser

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.builders import build, forced, write_untrained
from speed.measures import PeakMemory, machine, spread, wait_for
from speed.runs import second_clip
from speed.videos import SpeedVideo, generated

PAPER = 'configs/cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'
SMALL = 'configs/demo/cico-yolact_demo_moving-shapes.py'
#: settings that are varied
SCALE = 'test_dataloader.dataset.pipeline.1.transforms.1.scale'


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--config', default=PAPER, help='config of the first three measurements')
    parser.add_argument('--small', default=SMALL, help='config of the video lengths')
    parser.add_argument('--clips', type=positive_int, nargs='*', default=[1, 3, 5, 7], metavar='T')
    parser.add_argument('--objects', type=positive_int, nargs='*', default=[1, 3, 10, 30, 100])
    parser.add_argument('--heights', type=positive_int, nargs='*', default=[180, 360, 540, 720])
    parser.add_argument('--lengths', type=positive_int, nargs='*', default=[50, 500, 5000])
    parser.add_argument(
        '--height', type=positive_int, default=360, help='height of the frames of the first two'
    )
    parser.add_argument('--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='fp32')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--repeats', type=positive_int, default=3)
    parser.add_argument(
        '--known',
        nargs='*',
        default=[],
        help='JSON files with sections that are not measured again',
    )
    parser.add_argument('--plot', help='picture of the curves')
    parser.add_argument('--out', help='JSON file for the numbers')
    return parser.parse_args(argv)


@contextmanager
def prepared(args: argparse.Namespace, num_frames: int, objects: int, height: int):
    """Yield a model for clips of a length, and a generated video that it does not resize."""
    width = -(-height * 16 // 9)
    options = {
        'model.bbox_head.num_frames': num_frames,
        'test_dataloader.dataset.num_frames': num_frames,
        'test_dataloader.dataset.overlap': min(1, num_frames - 1),
        SCALE: (width, height),
    }
    with TemporaryDirectory() as folder:
        size, length = (height, width), 2 * num_frames - min(1, num_frames - 1)
        video = generated(f'{folder}/video', length, size, objects)
        weights = write_untrained(args.config, video, folder, options)
        inferencer = build(args.config, weights, args.device, args.precision, options=options)
        with forced(inferencer, video, 3 * objects).active():
            yield inferencer, video


def cost(args: argparse.Namespace, num_frames: int, objects: int, height: int) -> dict[str, Any]:
    """Return the time per new frame and the peak memory."""
    with (
        prepared(args, num_frames, objects, height) as (inferencer, video),
        PeakMemory(torch.device(args.device)) as peak,
    ):
        run = second_clip(inferencer, video)
        times = [run()[0] for _ in range(args.repeats + 1)]
    return dict(seconds=spread(times[1:]), memory=peak.mib)


def back_and_forth(video: SpeedVideo, length: int) -> SpeedVideo:
    """Return a longer video that plays a short one forwards and backwards."""
    number = len(video.frames)
    order = [*range(number), *range(number - 2, 0, -1)]
    index = [order[place % len(order)] for place in range(length)]
    boxes = None if video.boxes is None else video.boxes[index]
    return SpeedVideo(video.source, [video.frames[each] for each in index], boxes, video.labels)


def cost_of_length(args: argparse.Namespace, length: int) -> dict[str, Any]:
    """Return the time per frame and the peak memory for a video of a length."""
    with TemporaryDirectory() as folder:
        short = generated(f'{folder}/video', min(50, length), (96, 160), 3)
        weights = write_untrained(args.small, short, folder)
        inferencer = build(args.small, weights, args.device, args.precision)
        video = back_and_forth(short, length)
        device, halves = torch.device(args.device), [0.0, 0.0]
        with forced(inferencer, video, 12).active(), PeakMemory(device) as peak:
            start = time.perf_counter()
            for result in inferencer.stream(iter(video.frames)):
                wait_for(device)
                now = time.perf_counter()
                halves[2 * result.frame_id >= length] += now - start
                start = now
    seconds = spread([sum(halves) / length])
    return dict(seconds=seconds, second_half=halves[1] / max(length // 2, 1), memory=peak.mib)


def section(
    name: str, values: Sequence[int], measure: Callable[[int], dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Measure all values of a variable and print a table."""
    if not values:
        return {}
    found = {value: measure(value) for value in values}
    rows = [[name, 'ms a frame', 'peak memory, MiB']]
    for value, each in found.items():
        ms, memory = 1000 * each['seconds']['median'], each['memory']
        rows.append([str(value), f'{ms:.1f}', f'{memory:.0f}'])
    print(markdown_table(rows), '\n', sep='', flush=True)
    return found


def known_sections(
    files: Sequence[str], names: Sequence[str]
) -> dict[str, dict[int, dict[str, Any]]]:
    """Return the sections of JSON files; the first file that has a section counts."""
    result: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in names}
    for file in files:
        for name, found in json.loads(Path(file).read_text())['costs'].items():
            result[name] = result[name] or {int(value): each for value, each in found.items()}
    return result


def plot(result: dict[str, dict[int, dict[str, Any]]], path: str) -> None:
    """Draw a curve of each section."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    drawn = {name: found for name, found in result.items() if found}
    figure, axes = pyplot.subplots(1, len(drawn), figsize=(3.4 * len(drawn), 2.8), squeeze=False)
    for axis, (name, found) in zip(axes[0], drawn.items()):
        values = list(found)
        seconds = np.array([found[value]['seconds']['median'] for value in values])
        axis.plot(values, 1000 * seconds, 'o-', color='C0')
        axis.set_ylim(bottom=0)
        axis.set_xlabel(name)
        axis.set_ylabel('ms a frame', color='C0')
        if max(values) > 20 * min(values):
            axis.set_xscale('log')
        memory = axis.twinx()
        memory.plot(values, [found[value]['memory'] for value in values], 's--', color='C1')
        memory.set_ylim(bottom=0)
        memory.set_ylabel('peak memory, MiB', color='C1')
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main(argv: Sequence[str]) -> None:
    """Measure all sections; write the numbers after each of them."""
    args = parse_args(argv)
    where = machine(torch.device(args.device))
    print(where, '\n')
    sections = {
        'frames of a clip': (args.clips, lambda value: cost(args, value, 5, args.height)),
        'objects': (args.objects, lambda value: cost(args, 3, value, args.height)),
        'height of the input': (args.heights, lambda value: cost(args, 3, 5, value)),
        'frames of the video': (args.lengths, lambda value: cost_of_length(args, value)),
    }
    result = known_sections(args.known, list(sections))
    for name, (values, measure) in sections.items():
        result[name] = section(name, values, measure) or result[name]
        if args.out:
            content = dict(machine=where, costs=result)
            write_whole(args.out, json.dumps(content, indent=1) + '\n')
    if args.plot:
        plot(result, args.plot)


if __name__ == '__main__':
    sys.exit(run_tool(main))
