"""Kill a training and a test at random moments, and compare their results with undisturbed ones.

    python tools/benchmarks/kill_test.py --times 20 --folder kill_test

A small model is trained on generated video with max_keep_ckpts=1, once undisturbed and once with
--resume after each kill (SIGKILL). Then it is tested, undisturbed and with --resume. Each moment is
drawn from the duration of an undisturbed run; if a run ends before it was killed often enough,
another run begins. After each kill, last_checkpoint must name a whole file, and no process may be
left over. In the end, weights and results.json must be equal bit by bit. Runs are forks of this
process, so that none spends its time on imports.
"""

import argparse
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import mmcico.compat  # noqa: F401

import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader

from mmcico.cli.main import load_tool
from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.registry import DATASETS, METRICS, MODELS, VISUALIZERS
from mmcico.utils.launch import read_config
from mmcico.utils.tool import natural_int, positive_int, run_tool, tool_parser

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
    # after a few steps, masks are too uncertain for the scores of the default tracker
    tracker=dict(_delete_=True, type='mmcico.ClipTracker'),
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
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--times', type=positive_int, default=20, help='kills of each kind')
    parser.add_argument('--folder', default='kill_test', help='folder for everything; must be new')
    parser.add_argument('--steps', type=positive_int, default=30, help='steps of the training')
    parser.add_argument('--videos', type=positive_int, default=8, help='videos of the test')
    parser.add_argument('--seed', type=natural_int, default=0, help='seed of the moments')
    return parser.parse_args(argv)


def prepare(folder: Path, steps: int, videos: int) -> Path:
    """Write videos and a config; the path of the config."""
    data = folder / 'data'
    shapes = make_config('easy', size=(64, 96), num_frames=5)
    write_dataset(data / 'train', 4, seed=0, config=shapes)
    write_dataset(data / 'test', videos, seed=1, config=shapes)
    path = folder / 'config.py'
    path.write_text(CONFIG.format(root=TOOLS.parent, data=data, steps=steps))
    return path


def preload(config: Path) -> None:
    """Build the parts of a training once, so that forks find everything imported."""
    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    cfg = read_config(str(config))
    init_default_scope('mmdet')
    build_optim_wrapper(MODELS.build(cfg.model), cfg.optim_wrapper)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        DATASETS.build(loader.dataset)[0]
    METRICS.build(dict(cfg.val_evaluator, outdir=str(config.parent / 'none')))
    VISUALIZERS.build(dict(cfg.visualizer, name='preload', save_dir=str(config.parent / 'none')))


def left_over(session: int) -> list[str]:
    """Return the ids of the processes of a session that have not ended."""
    found = []
    for place in Path('/proc').glob('[0-9]*'):
        try:
            fields = (place / 'stat').read_text().rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != 'Z':
            found.append(place.name)
    return found


def begin(tool: ModuleType, arguments: Sequence, work: Path) -> int:
    """Start a tool in a fork of this process; the id of the process, and of its session."""
    work.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    os.setsid()
    with open(work / 'output.txt', 'ab') as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    code = 1
    try:
        code = run_tool(tool.main, [*map(str, arguments), '--work-dir', str(work)])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(process: int, limit: float) -> int | None:
    """Return the status of a process that ends in time, else None."""
    stop = time.time() + limit
    while True:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return status
        if time.time() > stop:
            return None
        time.sleep(0.005)


def run(tool: ModuleType, arguments: Sequence, work: Path, limit: float = 600) -> bool:
    """Run a tool, or kill it after a while; whether it ended by itself.

    Raises:
        ValueError: If it failed, or left a process behind when it was killed.
    """
    process = begin(tool, arguments, work)
    status = wait(process, limit)
    if status is None:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        stop = time.time() + 5
        while left_over(process):
            if time.time() > stop:
                raise ValueError(f'{left_over(process)} outlived the process that was killed')
            time.sleep(0.05)
        return False
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise ValueError(f'{tool.__name__} ended with code {code}, see {work}/output.txt')
    return True


def check_checkpoint(work: Path) -> None:
    """Load the checkpoint that would be resumed from.

    Raises:
        ValueError: If there are checkpoints, but none is named.
    """
    name = work / 'last_checkpoint'
    if name.is_file():
        CheckpointLoader.load_checkpoint(name.read_text(), 'cpu')
    elif list(work.glob('*.pth')):
        raise ValueError(f'{work} has checkpoints, but no last_checkpoint')


def same_weights(first: Path, second: Path) -> bool:
    """Whether two checkpoints hold the same weights and states of the optimiser."""
    one, two = (CheckpointLoader.load_checkpoint(str(p), 'cpu') for p in (first, second))
    states = [each['optimizer']['state'].values() for each in (one, two)]
    pairs = [(two['state_dict'][k], value) for k, value in one['state_dict'].items()]
    for a, b in zip(*states):
        pairs += [(b[key], value) for key, value in a.items()]
    return all(torch.equal(a, b) for a, b in pairs)


def attack(tool: ModuleType, arguments: Sequence, folder: Path, times: int) -> list[Path]:
    """Kill runs of a tool until it happened often enough; the folders of finished runs."""
    name = Path(str(tool.__file__)).stem
    started = time.time()
    resumed = [*arguments, '--resume']
    run(tool, arguments if name == 'train' else resumed, folder / f'{name}_undisturbed')
    duration = time.time() - started
    print(f'{name}: {duration:.1f} s undisturbed', flush=True)
    killed, runs, done = 0, [], True
    while killed < times or not done:
        if done:
            runs.append(folder / f'{name}_{len(runs)}')
        limit = random.uniform(0, duration) if killed < times else 600
        done = run(tool, resumed, runs[-1], limit)
        if not done:
            killed += 1
            print(f'{name}: killed after {limit:.1f} s, {state(runs[-1])}', flush=True)
    print(f'{name}: {killed} kills, {len(runs)} runs to the end', flush=True)
    return runs


def state(work: Path) -> str:
    """Return what a killed run has reached."""
    check_checkpoint(work)
    if (work / 'last_checkpoint').is_file():
        return Path((work / 'last_checkpoint').read_text()).name
    lines = sum(part.read_bytes().count(b'\n') for part in work.glob('results.rank*.jsonl'))
    return f'{lines} videos tested' if lines else 'nothing saved yet'


def main(argv: Sequence[str]) -> int:
    """Read the command line, train, test, compare."""
    args = parse_args(argv)
    folder = Path(args.folder).resolve()
    folder.mkdir(parents=True)
    random.seed(args.seed)
    config = prepare(folder, args.steps, args.videos)
    preload(config)
    last = f'iter_{args.steps}.pth'
    ends = attack(load_tool(TOOLS / 'train.py'), [config], folder, args.times)
    whole = folder / 'train_undisturbed' / last
    unequal = [work for work in ends if not same_weights(whole, work / last)]
    ends = attack(load_tool(TOOLS / 'test.py'), [config, whole], folder, args.times)
    results = (folder / 'test_undisturbed' / 'results.json').read_bytes()
    unequal += [work for work in ends if (work / 'results.json').read_bytes() != results]
    print(f'unequal to the undisturbed runs: {[str(work) for work in unequal] or "none"}')
    return 1 if unequal else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
