"""Compare CiCo with MMDetection's models: the same data, the same CPU time, several seeds.

    python tools/benchmarks/compare_peers.py --out work_dirs/peers

Each model of configs/demo and configs/peers is trained from random values on generated video for
--seconds of CPU time of one core, loading included, and tested. The learning rate rises over the
first 6 % of that time and falls as a cosine over the rest. Since CPU time is counted, other jobs on
the machine and pauses change little. Each run is a process of its own that writes one JSON file;
runs that have a file are not repeated, and the table is made of all files. Files of other settings
are refused.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from mmcico.formats.read import load_json
from mmcico.utils.files import write_whole
from mmcico.utils.processes import run_bound
from mmcico.utils.tool import markdown_table, natural_int, positive_int, run_tool, tool_parser

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

MODELS = {
    'cico-yolact': 'demo/cico-yolact_demo_moving-shapes.py',
    'cico-condinst': 'demo/cico-condinst_demo_moving-shapes.py',
    'masktrack-rcnn': 'peers/masktrack-rcnn_demo_moving-shapes.py',
    'mask2former-vis': 'peers/mask2former-vis_demo_moving-shapes.py',
}
NAMES = dict(zip(MODELS, ('CiCo-Yolact', 'CiCo-CondInst', 'MaskTrack R-CNN', 'Mask2Former-VIS')))
WARM_UP = 0.06
LAST_RATE = 0.01


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--out', required=True, help='folder of the data, the logs and the figures')
    parser.add_argument('--models', nargs='+', choices=MODELS, default=list(MODELS))
    parser.add_argument('--seeds', nargs='+', type=natural_int, default=[0, 1, 2])
    parser.add_argument('--seconds', type=float, default=180, help='CPU time of each training')
    parser.add_argument('--train-videos', type=positive_int, default=250)
    parser.add_argument('--test-videos', type=positive_int, default=20)
    parser.add_argument('--one', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def settings_of(args: argparse.Namespace, seed: int) -> dict[str, float]:
    """Return what the figures of a model depend on."""
    names = ('seconds', 'train_videos', 'test_videos')
    return dict({name: getattr(args, name) for name in names}, seed=seed)


def rate_factor(share: float) -> float:
    """Return the factor on the learning rate after a share of the training."""
    if share < WARM_UP:
        return LAST_RATE + (1 - LAST_RATE) * share / WARM_UP
    left = (1 + math.cos(math.pi * min(1, (share - WARM_UP) / (1 - WARM_UP)))) / 2
    return LAST_RATE + (1 - LAST_RATE) * left


def budget_hook(seconds: float) -> Any:
    """Return a hook that trains for so many seconds of CPU time, and counts steps and tests."""
    from mmengine.hooks import Hook

    class BudgetHook(Hook):
        steps, trained, tested, begin = 0, 0.0, 0.0, 0.0

        def before_train(self, runner: Any) -> None:
            self.begin = time.process_time()

        def before_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            share = (time.process_time() - self.begin) / seconds
            for group in runner.optim_wrapper.param_groups:
                rate = group.setdefault('first_lr', group['lr'])
                group['lr'] = rate * rate_factor(share)

        def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            self.steps += 1
            self.trained = time.process_time() - self.begin
            runner.train_loop.stop_training = self.trained >= seconds

        def before_test_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            self.begin = time.process_time()

        def after_test_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            self.tested += time.process_time() - self.begin

    return BudgetHook()


def make_config(model: str, seed: int, data: Path, work: Path) -> Any:
    """Return the config of a training without an end, in this process alone."""
    from mmcico.utils.launch import read_config
    from mmcico.utils.package_files import package_root

    cfg = read_config(str(package_root() / 'configs' / MODELS[model]))
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = f'{data}/'
    cfg.test_evaluator.update(ann_file=str(data / 'test/instances.json'), outdir=str(work))
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.train_cfg.update(max_iters=10**9)
    cfg.param_scheduler = None
    cfg.default_hooks.checkpoint = None
    cfg.randomness = dict(seed=seed)
    cfg.work_dir = str(work)
    cfg.experiment_name = f'{model}_{seed}'
    return cfg


def train_and_test(model: str, settings: dict[str, Any], data: Path, out: Path) -> None:
    """Train and test one model in this process, and write its figures."""
    from mmengine.runner import Runner

    from speed.measures import resident_peak

    seed = settings['seed']
    work = out / model / f'seed_{seed}'
    runner = Runner.from_cfg(make_config(model, seed, data, work))
    meter = budget_hook(settings['seconds'])
    runner.register_hook(meter, 'LOWEST')
    runner.train()
    peak = resident_peak()
    metrics = runner.test()
    videos = json.loads((data / 'test/instances.json').read_text())['videos']
    frames = sum(each['length'] for each in videos)
    figures = dict(
        settings=settings,
        AP=metrics['youtube_vis/AP'],
        AP50=metrics['youtube_vis/AP50'],
        steps=meter.steps,
        seconds=meter.trained,
        frames_per_second=frames / meter.tested,
        memory=peak,
        parameters=sum(each.numel() for each in runner.model.parameters()),
    )
    write_whole(out / f'{model}_{seed}.json', json.dumps(figures))


def make_data(args: argparse.Namespace) -> Path:
    """Return the folder of the generated video, which is made at the first call.

    Raises:
        ValueError: If the folder has another number of videos.
    """
    from mmcico.datasets.moving_shapes import make_config as scenes
    from mmcico.datasets.moving_shapes import write_dataset

    data = Path(args.out) / 'data'
    for seed, (part, number) in enumerate(
        (('train', args.train_videos), ('test', args.test_videos))
    ):
        file = data / part / 'instances.json'
        if not file.is_file():
            write_dataset(data / part, number, seed, scenes('easy'))
        found = len(load_json(file)['videos'])
        if found != number:
            raise ValueError(
                f'{file} has {found} videos, but --{part}-videos is {number}; choose another '
                f'--out, or remove the folder {data}'
            )
    return data


def spread(values: Sequence[float], digits: int) -> str:
    """Return the mean of the values and, of several, the least and the greatest."""
    middle = f'{mean(values):.{digits}f}'
    if len(values) == 1:
        return middle
    return f'{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})'


def read_runs(args: argparse.Namespace, out: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of each model in a folder.

    Raises:
        ValueError: If a file cannot be read, or has figures of other settings.
    """
    advice = 'remove the file, or choose another --out'
    runs: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(out.glob('*_*.json')):
        model, _, seed = path.stem.partition('_')
        if model not in MODELS:
            continue
        try:
            run = load_json(path)
            wanted = settings_of(args, int(seed))
        except ValueError as error:
            raise ValueError(f'{path} cannot be read as figures: {error}; {advice}') from error
        found = run.get('settings') if isinstance(run, dict) else None
        if found != wanted:
            raise ValueError(
                f'{path} has figures of {found or "unknown settings"}, but expected is {wanted}; '
                f'{advice}'
            )
        runs.setdefault(model, []).append(run)
    return runs


def table(runs_of: Mapping[str, Sequence[dict[str, Any]]]) -> str:
    """Return the table of the figures of each model, in Markdown."""
    head = 'model|seeds|AP|AP50|frames a second|steps|memory of the training, MiB'
    rows = [[*head.split('|'), 'parameters, millions']]
    for model, name in NAMES.items():
        runs = runs_of.get(model)
        if runs:
            columns = {key: [run[key] for run in runs] for key in runs[0]}
            rows.append(
                [
                    name,
                    str(len(runs)),
                    spread(columns['AP'], 3),
                    spread(columns['AP50'], 3),
                    f'{mean(columns["frames_per_second"]):.1f}',
                    f'{mean(columns["steps"]):.0f}',
                    f'{max(columns["memory"]):.0f}',
                    f'{columns["parameters"][0] / 1e6:.1f}',
                ]
            )
    return markdown_table(rows)


def main(argv: Sequence[str]) -> int:
    """Run what has not been run, and print the table."""
    args = parse_args(argv)
    out = Path(args.out).resolve()
    read_runs(args, out)  # a mistake is told before the work
    data = make_data(args)
    if args.one:
        settings = settings_of(args, args.seeds[0])
        train_and_test(args.models[0], settings, data.resolve(), out)
        return 0
    env = dict(os.environ, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
    options = ['--out', str(out), '--seconds', str(args.seconds), '--one']
    options += ['--train-videos', str(args.train_videos), '--test-videos', str(args.test_videos)]
    for seed in args.seeds:
        for model in args.models:
            if not (out / f'{model}_{seed}.json').is_file():
                names = ['--models', model, '--seeds', str(seed)]
                run_bound([sys.executable, __file__, *options, *names], env=env, check=True)
    sys.stdout.write(table(read_runs(args, out)) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
