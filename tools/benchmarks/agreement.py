"""Measure how far runs of a model agree: precisions, devices, compiled, ONNX, dense.

    python tools/benchmarks/agreement.py CONFIG CHECKPOINT VIDEO ... --out agreement.json

Each way runs from files to tracks and is compared with single precision on the CPU, frame by frame.
An instance agrees if the other run has the same id and class in the frame with a mask IoU of at
least 0.5. The table shows the share of instances that agree (of those of the run that has more),
the worst IoU of the masks of whole tracks and of single frames, and the largest difference of
scores. It has rows for a GPU if PyTorch finds one. The exit code is 1 if a way fails, or if there
are no masks to compare.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from mmcico.apis import CiCoInferencer, FrameResult, FrameSource
from mmcico.apis.model_loading import BATCH_SIZE
from mmcico.deployment import OnnxInfo, export_onnx
from mmcico.utils.tool import markdown_table, positive_int, run_tool, tool_parser, write_output

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.builders import DenseNetwork, build, plain_model
from speed.measures import machine
from speed.videos import SpeedVideo, generated, opened

#: device, precision and further changes of each way
WAYS: dict[str, tuple[str, str, str]] = {
    'fp32, CPU': ('cpu', 'fp32', ''),
    'fp32, CPU, dense': ('cpu', 'fp32', 'dense'),
    'bf16, CPU': ('cpu', 'bf16', ''),
    'fp32, CPU, compiled': ('cpu', 'fp32', 'compiled'),
    'fp32, CPU, ONNX': ('cpu', 'fp32', 'onnx'),
    'fp32, GPU': ('cuda', 'fp32', ''),
    'fp32, GPU, four clips at once': ('cuda', 'fp32', 'batches'),
    'fp16, GPU': ('cuda', 'fp16', ''),
    'bf16, GPU': ('cuda', 'bf16', ''),
    'bf16, GPU, compiled': ('cuda', 'bf16', 'compiled'),
}
#: way with which all others are compared
FIRST = 'fp32, CPU'


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights of the model')
    parser.add_argument('videos', nargs='*', help='videos (default: two of moving shapes)')
    parser.add_argument(
        '--frames', type=positive_int, default=30, help='greatest number of frames of each'
    )
    parser.add_argument(
        '--ways',
        nargs='+',
        choices=list(WAYS),
        help='ways to run (default: all that run on this machine)',
    )
    parser.add_argument('--out', help='JSON file for the numbers')
    return parser.parse_args(argv)


def usable(ways: Sequence[str] | None) -> list[str]:
    """Return the ways that run on this machine, the one for comparison first."""
    found = [
        name
        for name, (device, _, _) in WAYS.items()
        if (device == 'cpu' or torch.cuda.is_available()) and (ways is None or name in ways)
    ]
    return [FIRST, *(name for name in found if name != FIRST)]


def build_way(config: str, checkpoint: str, name: str, folder: str) -> CiCoInferencer:
    """Build the inferencer of a way."""
    device, precision, change = WAYS[name]
    inferencer = build(config, checkpoint, device, precision, change == 'compiled')
    if change == 'dense':
        inferencer.model.network = DenseNetwork(plain_model(inferencer, checkpoint))
    if change == 'onnx':
        path = str(Path(folder) / 'model.onnx')
        model = plain_model(inferencer, checkpoint)
        info = OnnxInfo.of(model, inferencer.cfg, inferencer.classes, inferencer.category_ids)
        export_onnx(model, path, info)
        inferencer = CiCoInferencer(inferencer.cfg, path, show_progress=False)
    return inferencer


def run(inferencer: CiCoInferencer, video: SpeedVideo, batch_size: int) -> list[FrameResult]:
    """Return the results of all frames of a video."""
    source = FrameSource('video', iter(video.frames), is_file=True)
    return list(inferencer.clips.run(source, batch_size=batch_size))


class Comparison:
    """Adds up how far the results of two runs agree."""

    def __init__(self) -> None:
        self.equal = 0
        self.numbers = [0, 0]
        self.score = 0.0
        self.worst_frame = 1.0
        self.pixels: dict[Any, np.ndarray] = defaultdict(lambda: np.zeros(2))

    def add(self, video: int, found: FrameResult, wanted: FrameResult) -> None:
        """Compare one frame."""
        ours, theirs = (each.sample.pred_track_instances.cpu().numpy() for each in (found, wanted))
        self.numbers[0] += len(ours.scores)
        self.numbers[1] += len(theirs.scores)
        rows = {number: row for row, number in enumerate(ours.instances_id.tolist())}
        for row, number in enumerate(theirs.instances_id.tolist()):
            mine = rows.get(number)
            if mine is None or ours.labels[mine] != theirs.labels[row]:
                continue
            a, b = ours.masks[mine].astype(bool), theirs.masks[row].astype(bool)
            areas = np.array([(a & b).sum(), (a | b).sum()])
            if 2 * areas[0] < areas[1]:
                continue
            self.equal += 1
            self.worst_frame = min(self.worst_frame, areas[0] / areas[1])
            self.pixels[video, number] += areas
            self.score = max(self.score, abs(float(ours.scores[mine] - theirs.scores[row])))

    def result(self) -> dict[str, float]:
        """Return the numbers."""
        tracks = [inter / union for inter, union in self.pixels.values()]
        return dict(
            equal_ids=self.equal / max(*self.numbers, 1),
            instances=self.numbers[1],
            worst_track_iou=min(tracks, default=1.0),
            worst_frame_iou=float(self.worst_frame),
            score=self.score,
        )


def compare(args: argparse.Namespace, videos: Sequence[SpeedVideo], folder: str) -> dict:
    """Run all ways and compare each with the first, without which there is nothing to compare."""
    results, report = {}, {}
    for name in usable(args.ways):
        try:
            inferencer = build_way(args.config, args.checkpoint, name, folder)
            size = BATCH_SIZE if WAYS[name][2] == 'batches' else 1
            results[name] = [run(inferencer, video, size) for video in videos]
        except Exception as error:  # a way that fails must not stop the others
            if name == FIRST:
                raise
            report[name] = dict(error=' '.join(str(error).split())[:200])
            continue
        total = Comparison()
        for number, (found, wanted) in enumerate(zip(results[name], results[FIRST])):
            for frames in zip(found, wanted):
                total.add(number, *frames)
        report[name] = total.result()
    return report


def as_table(report: dict[str, dict]) -> str:
    """Return the numbers as a table."""
    rows = [['run', 'equal ids', 'worst IoU of a track', 'of a frame', 'largest score difference']]
    forms = dict(equal_ids='.2%', worst_track_iou='.4f', worst_frame_iou='.4f', score='.1e')
    for name, each in report.items():
        cells = [format(each[key], form) for key, form in forms.items() if key in each]
        rows.append([name, *(cells or [each['error'], '', '', ''])])
    return markdown_table(rows)


def main(argv: Sequence[str]) -> int:
    """Compare all ways and print a table; return 1 if one fails or there are no masks."""
    args = parse_args(argv)
    with TemporaryDirectory() as folder:
        videos = [opened(each, args.frames) for each in args.videos] or [
            generated(f'{folder}/{seed}', args.frames, (96, 160), 3, seed) for seed in (0, 1)
        ]
        report = compare(args, videos, folder)
    masks = report[FIRST]['instances']
    text = f'{masks} masks in {sum(len(v.frames) for v in videos)} frames\n{as_table(report)}'
    content = dict(machine=machine(torch.device('cpu')), config=args.config, ways=report)
    write_output(text, content, args.out, sys.stdout)
    return int(masks == 0 or any('error' in each for each in report.values()))


if __name__ == '__main__':
    sys.exit(run_tool(main))
