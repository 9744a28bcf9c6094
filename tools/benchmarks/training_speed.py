"""Compare time and memory of a training step with a plain implementation of the same network.

    python tools/benchmarks/training_speed.py CONFIG --batch 2 --steps 5 --out training.json

The plain network uses PyTorch's own 3D convolutions and layouts, runs frozen batch norms after
their convolutions and stores all activations. Both train from the same random weights on the same
clips, which show moving squares. A step consists of forward pass, losses, backward pass and
optimiser; its memory is the peak of what it allocates as tensors, and the resident memory that two
steps add to the process.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmcico.engine import ChannelsLastHook, FrozenNormHook
from mmcico.models import CiCo
from mmcico.registry import MODELS
from mmcico.testing import clip_sample
from mmcico.utils.launch import add_cfg_options, read_config
from mmcico.utils.tool import markdown_table, positive_int, run_tool, tool_parser, write_output

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.builders import plain_layers
from speed.measures import DTYPES, PeakMemory, allocated_peak, machine, spread, wait_for


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--batch', type=positive_int, default=2, help='number of clips of a step')
    parser.add_argument(
        '--objects', type=positive_int, default=6, help='number of objects of a clip'
    )
    parser.add_argument(
        '--size', type=positive_int, nargs=2, default=[384, 640], metavar=('H', 'W')
    )
    parser.add_argument(
        '--steps', type=positive_int, default=5, help='number of measured steps, after three others'
    )
    parser.add_argument('--precisions', nargs='+', choices=list(DTYPES), default=['fp32'])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--out', help='JSON file for the numbers')
    add_cfg_options(parser)
    return parser.parse_args(argv)


class Training:
    """A network in training.

    Args:
        cfg (Config): Its config.
        args (argparse.Namespace): The command line.
        plain (bool): Whether it is the plain network.
        precision (str): Precision of the steps.
    """

    def __init__(self, cfg: Config, args: argparse.Namespace, plain: bool, precision: str) -> None:
        torch.manual_seed(0)
        model: CiCo = MODELS.build(cfg.model).to(args.device).train()
        for hook in () if plain else (FrozenNormHook(), ChannelsLastHook()):
            hook.before_train(SimpleNamespace(model=model))  # type: ignore[arg-type]
        self.device, clip = torch.device(args.device), [range(args.objects)] * model.num_frames
        self.samples = [
            clip_sample(clip, video_id=number, size=tuple(args.size))
            for number in range(args.batch)
        ]
        shape = (args.batch, model.num_frames, 3, *args.size)
        self.inputs = torch.rand(shape, device=self.device)
        self.model, self.plain, self.precision = model, plain, precision
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
        self.losses: list[float] = []

    def step(self) -> float:
        """Train for a step and return its time in seconds."""
        low = self.precision != 'fp32'
        dtype = DTYPES[self.precision] if low else None
        wait_for(self.device)
        start = time.perf_counter()
        with (
            plain_layers() if self.plain else nullcontext(),
            torch.autocast(self.device.type, dtype=dtype, enabled=low),
        ):
            loss = sum(self.model.loss(self.inputs, self.samples).values())
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        wait_for(self.device)
        self.losses.append(float(loss.detach()))
        return time.perf_counter() - start

    def memory(self) -> dict[str, float]:
        """Return the resident memory that the first two steps add, and the tensors of the third.

        Both are in MiB. The first has the state of the optimiser in it.
        """
        with PeakMemory(self.device) as peak:
            self.step()
            self.step()
        return dict(resident=peak.added, memory=allocated_peak(self.step, self.device))


def main(argv: Sequence[str]) -> None:
    """Measure both networks and print a table."""
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope('mmdet')
    runs, memory = {}, {}
    for plain, precision in [(True, 'fp32'), *((False, each) for each in args.precisions)]:
        name = f'{"plain" if plain else "mmcico"}, {precision}'
        runs[name] = Training(cfg, args, plain, precision)
        memory[name] = runs[name].memory()
    # in turns, because the speed of a machine changes
    turns = [{name: run.step() for name, run in runs.items()} for _ in range(args.steps)]
    result: dict[str, Any] = dict(machine=machine(torch.device(args.device)), runs={})
    for name, run in runs.items():
        result['runs'][name] = dict(
            seconds=spread([turn[name] for turn in turns]), **memory[name], losses=run.losses
        )
    first = next(iter(result['runs'].values()))
    rows = [
        [
            name,
            f'{each["seconds"]["median"]:.3f}',
            f'{first["seconds"]["median"] / each["seconds"]["median"]:.2f} x',
            f'{each["memory"]:.0f}',
            f'{each["memory"] / first["memory"]:.2f} x',
            f'{each["resident"]:.0f}',
            f'{each["resident"] / first["resident"]:.2f} x',
        ]
        for name, each in result['runs'].items()
    ]
    titles = ['tensors of a step, MiB', 'tensors', 'resident, MiB', 'resident']
    table = markdown_table([['run', 's a step', 'speed', *titles], *rows])
    write_output(table, result, args.out, sys.stdout)


if __name__ == '__main__':
    sys.exit(run_tool(main))
