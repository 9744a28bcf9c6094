"""Test a model: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse
import hashlib
import os.path as osp
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmcico.compat  # noqa: F401

from mmdet.structures.mask import encode_mask_results
from mmengine.config import Config
from mmengine.evaluator import DumpResults
from mmengine.structures import BaseDataElement

from mmcico.models.vis.augmentation import mirror_motion
from mmcico.utils.launch import (
    add_common_arguments,
    build_runner,
    load_config,
    our_metrics,
    set_output_folder,
)
from mmcico.utils.tool import positive_int, run_tool, tool_parser


def encode_frame(frame: Any) -> dict[str, Any]:
    """Return metainfo and predictions of a frame as plain values with run-length encoded masks."""
    meta: dict[str, Any] = {}
    if isinstance(frame, BaseDataElement):
        meta, frame = frame.metainfo, frame.to_dict()
    for name in ('pred_track_instances', 'tentative_track_instances'):
        meta[name] = tracks = dict(frame.get(name, {}))
        if 'masks' in tracks:
            tracks['masks'] = encode_mask_results(tracks['masks'].cpu().numpy())
    return meta


class DumpTrackResults(DumpResults):
    """Writes the predictions of each clip, with run-length encoded masks, to a pickle file.

    The file holds a list of clips. A clip has ``frames`` and, if the model returns them,
    ``clip_instances``.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Encode the clips of a batch; ``data_samples`` are ``TrackDataSample`` as dicts."""
        clips = [
            dict(
                frames=[encode_frame(frame) for frame in sample['video_data_samples']],
                clip_instances=sample.get('clip_instances'),
            )
            if 'video_data_samples' in sample
            else sample
            for sample in data_samples
        ]
        super().process(data_batch, clips)


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser('Test a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        action='store_true',
        help='continue an interrupted test in the work folder and skip finished videos',
    )
    parser.add_argument(
        '--allow-partial', action='store_true', help='test with weights that do not fit the model'
    )
    parser.add_argument(
        '--precision',
        choices=('auto', 'fp32', 'bf16', 'fp16'),
        help='test with a faster copy of the network at this precision; auto is bf16 if it is fast '
        'on the device, else fp32 (default: the unchanged model, in fp32)',
    )
    parser.add_argument(
        '--out', help='pickle file for the predictions, with run-length encoded masks'
    )
    parser.add_argument(
        '--tta',
        nargs='*',
        type=float,
        metavar='SCALE',
        help='test-time augmentation: average the results of the input and of its mirror image, '
        'also at other sizes, e.g. --tta 1.5 for one and a half times the size of the config',
    )
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', help='draw predictions into this folder of the work folder')
    parser.add_argument(
        '--show-interval',
        type=positive_int,
        help='draw every N-th frame of each video (default: 30)',
    )
    parser.add_argument('--wait-time', type=float, default=2, help='seconds to show each frame')
    return parser.parse_args(argv)


def set_visualization(cfg: Config, args: argparse.Namespace) -> None:
    """Switch on the hook that draws predictions."""
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise ValueError(
            f'--show and --show-dir need "visualization" in default_hooks of {cfg.filename}, for '
            "example dict(type='TrackVisualizationHook')"
        )
    hook['draw'] = True
    if args.show:
        hook.update(show=True, wait_time=args.wait_time)
    if args.show_dir:
        hook['test_out_dir'] = args.show_dir
    if args.show_interval is not None:
        hook['frame_interval'] = args.show_interval


def set_tta(cfg: Config, scales: Sequence[float]) -> None:
    """Switch test-time augmentation on.

    Raises:
        ValueError: If the model is not one of this package, or a scale is not positive.
    """
    if cfg.model.get('type') != 'mmcico.CiCo':
        raise ValueError(
            f'--tta is for model.type "mmcico.CiCo", but {cfg.filename} has '
            f'"{cfg.model.get("type")}"; leave it out'
        )
    if not all(scale > 0 for scale in scales):
        raise ValueError(f'--tta has the scales {list(scales)}; they must be above 0')
    tta = dict(flip=True, scales=[1.0, *scales])
    cfg.model.test_cfg = dict(cfg.model.get('test_cfg') or {}, tta=tta)


def check_files(args: argparse.Namespace) -> None:
    """Check the paths of the command line before the model is built.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If the predictions cannot be written to the file.
    """
    if '://' not in args.checkpoint and not osp.isfile(args.checkpoint):
        raise FileNotFoundError(f'checkpoint "{args.checkpoint}" does not exist')
    if args.out and not args.out.endswith(('.pkl', '.pickle')):
        raise ValueError(f'--out writes a pickle file, "{args.out}" must end in .pkl or .pickle')


def fingerprint(cfg: Config, checkpoint: str) -> str:
    """Return a text that changes with the weights and with the settings of model and data."""
    content = cfg.to_dict()
    names = ('work_dir', 'launcher', 'load_from', 'log_level', 'experiment_name')
    for key in (*names, 'randomness', 'visualizer'):
        content.pop(key, None)
    digest = hashlib.sha256(repr(sorted(content.items())).encode())
    is_file = osp.isfile(checkpoint)
    digest.update(Path(checkpoint).read_bytes() if is_file else checkpoint.encode())
    return digest.hexdigest()


def set_resume(cfg: Config, args: argparse.Namespace) -> None:
    """Store the fingerprint in the metrics, and resume an interrupted test if wanted.

    Raises:
        ValueError: If ``--resume`` does not work with the config or the other arguments.
    """
    ours, text = our_metrics(cfg.get('test_evaluator')), fingerprint(cfg, args.checkpoint)
    for each in ours:
        each.update(fingerprint=text, resume=args.resume)
    if not args.resume:
        return
    sampler = cfg.test_dataloader.get('sampler', {})
    if len(ours) != 1 or sampler.get('type') != 'mmcico.VideoSampler':
        raise ValueError(
            f'{cfg.filename}: --resume needs one mmcico.VISMetric as test_evaluator and '
            'mmcico.VideoSampler in test_dataloader; leave --resume out'
        )
    if args.out or args.show or args.show_dir:
        raise ValueError(
            '--resume skips finished videos, so that --out, --show and --show-dir would be '
            'incomplete; leave out --resume or these'
        )
    sampler['resume_from'] = ours[0].get('outdir') or cfg.work_dir


def main(argv: Sequence[str]) -> None:
    """Build the runner and test."""
    args = parse_args(argv)
    cfg = load_config(args)
    check_files(args)
    cfg.load_from = args.checkpoint
    if args.precision:
        hook = dict(type='mmcico.PrecisionHook', precision=args.precision)
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    if args.tta is not None:
        set_tta(cfg, args.tta)
    mirror_motion(cfg)
    set_resume(cfg, args)
    set_output_folder(cfg.get('test_evaluator'), cfg.work_dir)
    if args.show or args.show_dir:
        set_visualization(cfg, args)
    fit = dict(type='mmcico.WeightsFitHook', allow_partial=args.allow_partial)
    cfg.default_hooks = dict(cfg.get('default_hooks') or {}, weights_fit=fit)
    if cfg.launcher == 'none' and cfg.get('strategy', {}).get('type') == 'FSDPStrategy':
        cfg.pop('strategy')  # one process tests the whole checkpoint
        cfg.pop('runner_type', None)
    runner = build_runner(cfg)
    if args.out:
        runner.test_evaluator.metrics.append(DumpTrackResults(out_file_path=args.out))
    runner.test()


if __name__ == '__main__':
    sys.exit(run_tool(main))
