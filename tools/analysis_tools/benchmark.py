"""Measure the speed of a model on a video as a whole, by stage, and compared with other models.

    python tools/analysis_tools/benchmark.py CONFIG [CHECKPOINT] --peers --out speed.json

The benchmark measures frames per second with loading (from files to linked run lengths, as in
Table 3 of the paper) and without, the time of each stage, the latency of a stream, peak memory, and
the operations of the network relative to those of a matrix product on the device. Every figure is
the median of repeated runs after one that warms up; the lowest and the highest are printed, too.

Without a checkpoint, the weights are random. An untrained network finds no objects, so the anchors
nearest to the objects of the video become its candidates. The objects are those of a generated
video of moving shapes, or of an annotation file (--video with --ann).
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from mmcico.apis import CiCoInferencer
from mmcico.apis.model_loading import checked_batch_size
from mmcico.utils.launch import add_cfg_options
from mmcico.utils.tool import markdown_table, positive_int, run_tool, tool_parser, write_output
from speed.builders import build, forced, resolved, write_untrained
from speed.measures import machine
from speed.peers import measure_peers
from speed.runs import Plan
from speed.stages import STAGES
from speed.videos import SpeedVideo, generated, opened


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config of a CiCo model')
    parser.add_argument('checkpoint', nargs='?', help='weights of the model (default: random ones)')
    parser.add_argument('old_video', nargs='?', help=argparse.SUPPRESS)  # --video of version 0.2
    parser.add_argument('--video', help='video file or folder of images (default: moving shapes)')
    parser.add_argument('--ann', help='annotation file with the objects of the video')
    parser.add_argument(
        '--candidates',
        type=positive_int,
        help='number of candidates of a clip, taken from the objects of the video (default: 20 '
        'without a checkpoint; with one, the candidates of the model)',
    )
    parser.add_argument('--frames', type=positive_int, default=21, help='greatest number of frames')
    parser.add_argument(
        '--size',
        type=positive_int,
        nargs=2,
        default=[360, 640],
        metavar=('H', 'W'),
        help='size of a generated video',
    )
    parser.add_argument(
        '--objects', type=positive_int, default=8, help='number of objects of a generated video'
    )
    parser.add_argument(
        '--peers', action='store_true', help="also measure MMDetection's R50 models"
    )
    parser.add_argument('--device', default='cpu', help='device, such as cpu or cuda:0')
    parser.add_argument(
        '--precision',
        choices=['auto', 'fp32', 'bf16', 'fp16'],
        default='fp32',
        help='precision of the network',
    )
    parser.add_argument(
        '--batch-size',
        type=positive_int,
        help='number of clips of a file that the network gets at once (default: 4; always 1 on '
        'a CPU)',
    )
    parser.add_argument('--compile', action='store_true', help='use torch.compile')
    parser.add_argument('--repeats', type=positive_int, default=5, help='number of measured runs')
    parser.add_argument('--out', help='JSON file for the numbers')
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    args.video = args.video or args.old_video
    return args


def find_video(args: argparse.Namespace, folder: str) -> SpeedVideo:
    """Return the video of the command line, or a generated one."""
    if args.video is None:
        return generated(f'{folder}/video', args.frames, tuple(args.size), args.objects)
    return opened(args.video, args.frames, args.ann)


def measure(args: argparse.Namespace, inferencer: CiCoInferencer, video: SpeedVideo) -> dict:
    """Measure the model, and the peers if wanted."""
    number = args.candidates or (None if args.checkpoint else 20)
    precision = resolved(args.precision, args.device)
    with forced(inferencer, video, number).active() if number else nullcontext():
        batch_size = checked_batch_size(args.batch_size, torch.device(args.device))
        plan = Plan(inferencer, video, args.repeats, batch_size)
        found = plan.measure(precision, not args.compile)
    result = dict(
        machine=machine(torch.device(args.device)),
        config=Path(args.config).stem,
        precision=precision + ', compiled' * args.compile,
        video=dict(
            frames=len(video.frames), height=video.size[0], width=video.size[1], source=args.video
        ),
        num_frames=inferencer.clips.num_frames,
        overlap=inferencer.clips.overlap,
        batch_size=batch_size,
        candidates_from='objects of the video' if number else 'the model',
        model=found,
    )
    if args.peers:
        objects = 10 if video.boxes is None else video.boxes.shape[1]
        result['peers'] = measure_peers(video, args.device, objects, args.repeats)
    return result


def speed_text(value: dict[str, float]) -> str:
    """Return a median with its lowest and highest value."""
    return f'{value["median"]:.2f} ({value["low"]:.2f} to {value["high"]:.2f})'


def latency_text(value: dict[str, float]) -> str:
    """Return the quantiles of a latency in words, or a dash if no clip was complete."""
    if not value:
        return '-, the video is shorter than a clip'
    return ', '.join(f'{name} {1000 * seconds:.0f} ms' for name, seconds in value.items())


def stage_table(found: dict[str, Any]) -> str:
    """Return the stages of a measurement as a table."""
    seconds, flops = found['stages'], found.get('flops', {})
    total = sum(each['median'] for each in seconds.values()) or 1.0
    shares = found.get('share_of_peak', {})
    rows = [
        [
            name,
            f'{1000 * seconds[name]["median"]:.1f}',
            f'{1000 * seconds[name]["low"]:.1f} to {1000 * seconds[name]["high"]:.1f}',
            f'{seconds[name]["median"] / total:.1%}',
            f'{flops[name] / 1e9:.1f}' if flops.get(name) else '',
            f'{shares[name]:.0%}' if name in shares else '',
        ]
        for name in STAGES
    ]
    head = ['stage', 'ms a frame', 'lowest to highest', 'share', 'GFLOP', 'of the peak']
    return markdown_table([head, *rows])


def summary(result: dict[str, Any]) -> str:
    """Return everything that ``benchmark.py`` measured as text."""
    found, video = result['model'], result['video']
    where = ', '.join(f'{name} {value}' for name, value in result['machine'].items())
    clip = found['clip']
    lines = [
        where,
        f'{result["config"]}, {result["precision"]}, {video["frames"]} frames of '
        f'{video["height"]} x {video["width"]}, clips of {result["num_frames"]} with '
        f'{result["overlap"]} shared, {result["batch_size"]} at once',
        f'candidates {clip["candidates"]:.1f} and instances {clip["instances"]:.1f} a clip '
        f'({result["candidates_from"]})',
        '',
        stage_table(found),
        '',
        f'frames a second with loading: {speed_text(found["end_to_end"])}, '
        f'{found["end_to_end_share"]:.2f} of the network alone',
        f'frames a second of backbone to prototypes: {found["network"]["median"]:.2f}',
        f'frames a second of the model, linking included: {speed_text(found["steps"])}',
        f'masks, NMS, linking, enlarging and encoding: {found["after_network"]:.1%} of the time',
        f'latency of a stream: {latency_text(found["latency"])}',
        f'peak memory: {found["memory"]:.0f} MiB',
    ]
    if 'peak' in found:
        lines.append(f'peak of the device in a matrix product: {found["peak"] / 1e9:.0f} GFLOPS')
    if result.get('peers'):
        lines += ['', peer_table(found, result['peers'])]
    return '\n'.join(lines)


def peer_table(found: dict[str, Any], peers: dict[str, dict[str, Any]]) -> str:
    """Return a table of the model and its peers."""
    own = dict(
        network=found['steps'],
        end_to_end=found['end_to_end'],
        memory=found['memory'],
        instances=found['instances'],
    )
    head = 'model|frames a second, model|with loading|peak memory, MiB|instances a frame'
    rows = [head.split('|')]
    for name, each in {'this model': own, **peers}.items():
        if 'error' in each:
            rows.append([name, each['error'], '', '', ''])
        else:
            speeds = [speed_text(each[key]) for key in ('network', 'end_to_end')]
            rows.append([name, *speeds, f'{each["memory"]:.0f}', f'{each["instances"]:.1f}'])
    return markdown_table(rows)


def main(argv: Sequence[str]) -> None:
    """Measure the model and print the figures."""
    args = parse_args(argv)
    with TemporaryDirectory() as folder:
        video = find_video(args, folder)
        weights = args.checkpoint or write_untrained(args.config, video, folder, args.cfg_options)
        inferencer = build(
            args.config, weights, args.device, args.precision, args.compile, args.cfg_options
        )
        result = measure(args, inferencer, video)
    write_output(summary(result), result, args.out, sys.stdout)


if __name__ == '__main__':
    sys.exit(run_tool(main))
