"""Train a model: ``python tools/train.py CONFIG``."""

import argparse
import os.path as osp
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log

from mmcico.models.vis.augmentation import mirror_motion
from mmcico.utils.launch import add_common_arguments, build_runner, load_config, set_output_folder
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser('Train a model')
    parser.add_argument('config', help='config file')
    add_common_arguments(parser)
    parser.add_argument(
        '--amp',
        action='store_true',
        help='train with automatic mixed precision; in bfloat16 on a CPU',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the number of clips of a step',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='checkpoint to resume from (without a path: the latest in the work folder)',
    )
    return parser.parse_args(argv)


def use_amp(cfg: Config) -> None:
    """Switch the wrapper of the optimiser to mixed precision."""
    name = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if name not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ValueError(f'--amp needs optim_wrapper.type "OptimWrapper", not "{name}"')
    if get_device() == 'cpu':
        cfg.optim_wrapper.type = 'mmcico.BFloat16OptimWrapper'
        for name in ('loss_scale', 'dtype', 'use_fsdp'):  # of AmpOptimWrapper alone
            cfg.optim_wrapper.pop(name, None)
        return
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def use_auto_scale_lr(cfg: Config) -> None:
    """Switch on the scaling of the learning rate that the config describes."""
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise ValueError(
            f'--auto-scale-lr needs "auto_scale_lr = dict(base_batch_size=...)" in {cfg.filename}'
        )
    cfg.auto_scale_lr.enable = True


def newest_checkpoint(work_dir: str) -> str | None:
    """Find the checkpoint to resume from, even if the training was killed while saving one.

    Args:
        work_dir (str): Work folder of the training.

    Returns:
        str | None: The checkpoint that ``last_checkpoint`` names if it is whole, else the newest
        whole one; None if the folder has no checkpoint.

    Raises:
        ValueError: If the folder has checkpoints, but none is whole.
    """
    folder = Path(work_dir)
    files = sorted(folder.glob('*.pth'), key=lambda path: path.stat().st_mtime, reverse=True)
    named = folder / 'last_checkpoint'
    if named.is_file():
        name = Path(named.read_text(encoding='utf-8').strip() or '.')
        # the folder may have been moved
        files = [each for each in (name, folder / name.name) if each.is_file()] + files
    for path in files:
        if zipfile.is_zipfile(path):  # a file that was cut off has no directory at its end
            return str(path)
    if files:
        raise ValueError(
            f'{work_dir} has no whole checkpoint to resume from: {", ".join(map(str, files))} '
            'cannot be read; remove them to train from the start'
        )
    return None


def set_resume(cfg: Config, resume: str) -> None:
    """Resume from a checkpoint, or from the newest in the work folder if ``resume`` is "auto".

    A training with an empty work folder begins as without ``--resume``.
    """
    found = newest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
    cfg.resume = found is not None
    if found is None:
        start = f'the weights {cfg.load_from}' if cfg.get('load_from') else 'new weights'
        print_log(f'{cfg.work_dir} has no checkpoint to resume; the training begins with {start}')
    else:
        cfg.load_from = found
    if resume != 'auto' and '://' not in resume and not osp.isfile(resume):
        raise FileNotFoundError(
            f'checkpoint "{resume}" does not exist; --resume without a path '
            f'takes the latest in {cfg.work_dir}'
        )


def main(argv: Sequence[str]) -> None:
    """Build the runner and train."""
    args = parse_args(argv)
    cfg = load_config(args)
    if args.amp:
        use_amp(cfg)
    if args.auto_scale_lr:
        use_auto_scale_lr(cfg)
    if args.resume is not None:
        set_resume(cfg, args.resume)
    set_output_folder(cfg.get('val_evaluator'), cfg.work_dir)
    schedule = dict(type='mmcico.ScheduleCheckHook')
    cfg.default_hooks = dict(cfg.get('default_hooks') or {}, schedule_check=schedule)
    mirror_motion(cfg)
    build_runner(cfg).train()


if __name__ == '__main__':
    sys.exit(run_tool(main))
