"""Kill a training and a test at random moments, and compare their results with undisturbed ones.

    python tools/benchmarks/kill_test.py --times 20 --folder kill_test

A small model is trained on generated video with max_keep_ckpts=1, once undisturbed and once with
--resume after each kill (SIGKILL). Then it is tested, undisturbed and with --resume. Each moment is
drawn from the duration of an undisturbed run; if a run ends before it was killed often enough,
another run begins. After each kill, last_checkpoint must name a whole file, and no process may be
left over. In the end, weights and results.json must be equal bit by bit.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import mmcico.compat  # noqa: F401

import torch
from mmengine.runner import CheckpointLoader

from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.utils.tool import run_tool, tool_parser

TOOLS = Path(__file__).resolve().parents[1]
CONFIG = """
_base_ = '{root}/configs/demo/cico-yolact_demo_moving-shapes.py'
norm_cfg = dict(num_groups=4)
model = dict(
    backbone=dict(base_channels=8),
    neck=dict(in_channels=[16, 32, 64], out_channels=16),
    bbox_head=dict(
        in_channels=16, embed_channels=8,
        towers=dict(num_convs=1, channels=16, norm_cfg=norm_cfg)),
    mask_head=dict(in_channels=16, feat_channels=16, norm_cfg=norm_cfg),
    test_cfg=dict(nms=dict(score_thr=0.05, max_per_frame=5)))
train_cfg = dict(max_iters={steps}, val_interval={steps})
param_scheduler = [dict(type='ConstantLR', factor=1.0, by_epoch=False)]
train_dataloader = dict(
    batch_size=2, num_workers=2, persistent_workers=True, dataset=dict(data_root='{data}'))
val_dataloader = dict(num_workers=1, dataset=dict(data_root='{data}'))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='{data}/test/instances.json')
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(interval=2, max_keep_ckpts=1))
randomness = dict(seed=0)
"""


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--times', type=int, default=20, help='number of kills of the training, and of the test'
    )
    parser.add_argument(
        '--folder', default='kill_test', help='folder for all files, which must not exist'
    )
    parser.add_argument('--steps', type=int, default=30, help='steps of the training')
    parser.add_argument('--videos', type=int, default=8, help='videos of the test')
    parser.add_argument('--seed', type=int, default=0, help='seed of the moments')
    return parser.parse_args(argv)


def prepare(folder: Path, steps: int, videos: int) -> Path:
    """Write videos and a config; return the path of the config."""
    data = folder / 'data'
    shapes = make_config('easy', size=(64, 96), num_frames=5)
    write_dataset(data / 'train', 4, seed=0, config=shapes)
    write_dataset(data / 'test', videos, seed=1, config=shapes)
    path = folder / 'config.py'
    path.write_text(CONFIG.format(root=TOOLS.parent, data=data, steps=steps))
    return path


def left_over(folder: Path) -> list[str]:
    """Return the ids of other processes that have the folder in their command line."""
    found = []
    for place in Path('/proc').glob('[0-9]*'):
        try:
            state = (place / 'stat').read_text().rpartition(')')[2].split()[0]
            is_ours = str(folder) in (place / 'cmdline').read_text()
        except OSError:
            continue
        if is_ours and state != 'Z' and int(place.name) != os.getpid():
            found.append(place.name)
    return found


def run(command: Sequence, work: Path, limit: float | None = None) -> bool:
    """Run a command and kill it after some seconds; return whether it ended before.

    Raises:
        ValueError: If it failed, or left a process behind when it was killed.
    """
    work.mkdir(parents=True, exist_ok=True)
    with open(work / 'output.txt', 'ab') as output:
        process = subprocess.Popen(
            [sys.executable, *map(str, command), '--work-dir', str(work)],
            stdout=output,
            stderr=output,
            env=dict(os.environ, OMP_NUM_THREADS='1'),
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            time.sleep(1)
            left = left_over(work)
            if left:
                raise ValueError(f'processes {left} outlived the one that was killed') from None
            return False
    if code:
        raise ValueError(f'{command[0]} ended with code {code}, see {work}/output.txt')
    return True


def check_checkpoint(work: Path) -> None:
    """Load the checkpoint from which the training would resume.

    Raises:
        ValueError: If there are checkpoints, but ``last_checkpoint`` names none.
    """
    name = work / 'last_checkpoint'
    if name.is_file():
        CheckpointLoader.load_checkpoint(name.read_text(), 'cpu')
    elif list(work.glob('*.pth')):
        raise ValueError(f'{work} has checkpoints, but no last_checkpoint')


def same_weights(first: Path, second: Path) -> bool:
    """Return whether two checkpoints have the same weights and states of the optimiser."""
    one, two = (CheckpointLoader.load_checkpoint(str(p), 'cpu') for p in (first, second))
    states = [each['optimizer']['state'].values() for each in (one, two)]
    pairs = [(two['state_dict'][k], value) for k, value in one['state_dict'].items()]
    for a, b in zip(*states):
        pairs += [(b[key], value) for key, value in a.items()]
    return all(torch.equal(a, b) for a, b in pairs)


def attack(command: Sequence, folder: Path, name: str, times: int, check: object) -> list[Path]:
    """Kill runs of a command a number of times; return the folders of the finished runs."""
    started = time.time()
    run([*command, *(['--resume'] if name == 'test' else [])], folder / f'{name}_undisturbed')
    duration = time.time() - started
    print(f'{name}: {duration:.1f} s undisturbed', flush=True)
    killed, runs = 0, []
    while killed < times or not runs or not runs[-1][1]:
        if not runs or runs[-1][1]:
            runs.append((folder / f'{name}_{len(runs)}', False))
        work = runs[-1][0]
        limit = random.uniform(0, duration) if killed < times else None
        done = run([*command, '--resume'], work, limit)
        killed += not done
        check(work)
        if done:
            runs[-1] = (work, True)
    print(f'{name}: {killed} kills, {len(runs)} runs to the end', flush=True)
    return [work for work, _ in runs]


def main(argv: Sequence[str]) -> int:
    """Attack the training and the test; return 1 if a result differs."""
    args = parse_args(argv)
    folder = Path(args.folder).resolve()
    folder.mkdir(parents=True)
    random.seed(args.seed)
    config = prepare(folder, args.steps, args.videos)
    last = f'iter_{args.steps}.pth'
    command = [TOOLS / 'train.py', config]
    ends = attack(command, folder, 'train', args.times, check_checkpoint)
    whole = folder / 'train_undisturbed' / last
    unequal = [work for work in ends if not same_weights(whole, work / last)]
    command = [TOOLS / 'test.py', config, whole]
    ends = attack(command, folder, 'test', args.times, lambda work: None)
    results = (folder / 'test_undisturbed' / 'results.json').read_bytes()
    unequal += [work for work in ends if (work / 'results.json').read_bytes() != results]
    print(f'unequal to the undisturbed runs: {[str(work) for work in unequal] or "none"}')
    return 1 if unequal else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
