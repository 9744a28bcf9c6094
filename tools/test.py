"""Test a model: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse
import os.path as osp
import sys
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmcico.utils.dump import DumpTrackResults
from mmcico.utils.launch import (
    add_common_arguments,
    load_config,
    prepare_devices,
    set_output_folder,
)
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser('Test a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    add_common_arguments(parser)
    parser.add_argument('--out', help='pickle file for the predictions, masks run-length encoded')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', help='draw predictions into this folder of the work folder')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds a frame of --show')
    return parser.parse_args(argv)


def set_visualization(cfg: Config, args: argparse.Namespace) -> None:
    """Switch on the hook that draws."""
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise ValueError(
            f'--show and --show-dir need "visualization" in default_hooks of '
            f'{cfg.filename}, for example '
            "dict(type='TrackVisualizationHook')"
        )
    hook['draw'] = True
    if args.show:
        hook.update(show=True, wait_time=args.wait_time)
    if args.show_dir:
        hook['test_out_dir'] = args.show_dir


def check_files(args: argparse.Namespace) -> None:
    """Complain before the model is built."""
    if '://' not in args.checkpoint and not osp.isfile(args.checkpoint):
        raise FileNotFoundError(f'checkpoint "{args.checkpoint}" does not exist')
    if args.out and not args.out.endswith(('.pkl', '.pickle')):
        raise ValueError(f'--out writes a pickle file, "{args.out}" must end in .pkl or .pickle')


def main(argv: Sequence[str]) -> None:
    """Read the command line, build the runner, test."""
    args = parse_args(argv)
    cfg = load_config(args)
    check_files(args)
    cfg.load_from = args.checkpoint
    if 'test_evaluator' in cfg:
        set_output_folder(cfg.test_evaluator, cfg.work_dir)
    if args.show or args.show_dir:
        set_visualization(cfg, args)
    prepare_devices(cfg)
    build = RUNNERS.build if 'runner_type' in cfg else Runner.from_cfg
    runner = build(cfg)
    if args.out:
        runner.test_evaluator.metrics.append(DumpTrackResults(out_file_path=args.out))
    runner.test()


if __name__ == '__main__':
    sys.exit(run_tool(main))
