"""Compare time and memory of a training step with a plain implementation of the same network.

    python tools/benchmarks/training_speed.py CONFIG --batch 2 --steps 5 --out training.json

The plain network uses PyTorch's own 3D convolutions. Both train from the same random weights on the
same clips, which show moving squares. A step consists of forward pass, losses, backward pass and
optimiser; its memory is the peak above that of the idle model.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import init_default_scope
from torch import nn

from mmcico.models import CiCo
from mmcico.registry import MODELS
from mmcico.testing import clip_sample
from mmcico.utils.launch import add_cfg_options, read_config
from mmcico.utils.tool import run_tool, tool_parser

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.builders import plain_convolutions
from speed.measures import DTYPES, PeakMemory, machine, spread, wait_for
from speed.report import table


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--batch', type=int, default=2, help='number of clips of a step')
    parser.add_argument('--objects', type=int, default=6, help='number of objects of a clip')
    parser.add_argument('--size', type=int, nargs=2, default=[384, 640], metavar=('H', 'W'))
    parser.add_argument(
        '--steps', type=int, default=5, help='number of measured steps, after a first one'
    )
    parser.add_argument('--precisions', nargs='+', choices=list(DTYPES), default=['fp32'])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--out', help='JSON file for the numbers')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def measure(model: CiCo, args: argparse.Namespace, precision: str) -> dict[str, Any]:
    """Measure training steps of a model."""
    device, clip = torch.device(args.device), [range(args.objects)] * model.num_frames
    samples = [
        clip_sample(clip, video_id=number, size=tuple(args.size)) for number in range(args.batch)
    ]
    inputs = torch.rand(args.batch, model.num_frames, 3, *args.size, device=device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    cast = (
        nullcontext()
        if precision == 'fp32'
        else torch.autocast(device.type, dtype=DTYPES[precision])
    )
    times, losses = [], []
    with PeakMemory(device) as peak:
        for _ in range(args.steps + 1):
            wait_for(device)
            start = time.perf_counter()
            with cast:
                loss = sum(model.loss(inputs, samples).values())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            wait_for(device)
            times.append(time.perf_counter() - start)
            losses.append(float(loss.detach()))
    return dict(seconds=spread(times[1:]), memory=peak.added, losses=losses)


def main(argv: Sequence[str]) -> None:
    """Measure both networks and print a table."""
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope('mmdet')
    result: dict[str, Any] = dict(machine=machine(torch.device(args.device)), runs={})
    for plain in (True, False):
        for precision in ['fp32'] if plain else args.precisions:
            torch.manual_seed(0)
            model = MODELS.build(cfg.model).to(args.device).train()
            with plain_convolutions() if plain else nullcontext():
                found = measure(model, args, precision)
            result['runs'][f'{"plain" if plain else "mmcico"}, {precision}'] = found
            del model
    first = next(iter(result['runs'].values()))
    rows = [
        [
            name,
            f'{each["seconds"]["median"]:.3f}',
            f'{first["seconds"]["median"] / each["seconds"]["median"]:.2f} x',
            f'{each["memory"]:.0f}',
            f'{each["memory"] / first["memory"]:.2f} x',
        ]
        for name, each in result['runs'].items()
    ]
    print(table(['run', 's a step', 'speed', 'memory of a step, MiB', 'memory'], rows))
    if args.out:
        Path(args.out).write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    sys.exit(run_tool(main))
