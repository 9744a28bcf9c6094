"""Convert a published CiCo checkpoint to one of mmcico, or back.

    python tools/model_converters/published_to_mmcico.py SRC.pth DST.pth \
        --config configs/published/CONFIG.py [--reverse]

The tool reports every parameter. If a parameter is missing, left over or of another shape, it
writes nothing and the exit code is 1, unless --allow-partial is given.
"""

import argparse
import os.path as osp
import sys
import time
from collections.abc import Sequence

from mmcico.compat.checkpoint import load_from_local

import torch
from mmengine.config import Config

import mmcico
from mmcico.checkpoints import ModelLayout, Report, ours_to_published, published_to_ours
from mmcico.checkpoints.layout import parameters
from mmcico.formats.categories import expected_names
from mmcico.utils.files import is_one_of, whole_file
from mmcico.utils.launch import add_cfg_options, build_model, read_config
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('src', help='checkpoint to read')
    parser.add_argument('dst', help='checkpoint to write')
    parser.add_argument('--config', required=True, help='config of the model')
    parser.add_argument('--reverse', action='store_true', help='convert from mmcico to published')
    parser.add_argument(
        '--allow-partial',
        action='store_true',
        help='write the parameters that fit even if others are missing or left over',
    )
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    if is_one_of(args.dst, (args.src, args.config)):
        parser.error(f'{args.dst} is a file to be read; give another name')
    return args


def meta_of(cfg: Config, src: str) -> dict:
    """Return the metadata that MMEngine stores beside the weights."""
    meta = dict(
        cfg=cfg.pretty_text,
        converted_from=osp.basename(src),
        mmcico_version=mmcico.__version__,
        time=time.strftime('%Y%m%d_%H%M%S'),
    )
    dataset = cfg.get('test_dataloader', dict()).get('dataset', dict())
    classes = expected_names(dataset.get('dataset_version'))
    if classes is not None:
        meta['dataset_meta'] = dict(classes=classes)
    return meta


def check(report: Report, args: argparse.Namespace) -> None:
    """Check that the conversion is complete.

    Raises:
        ValueError: If it is not, and ``--allow-partial`` is not given.
    """
    if report.complete or args.allow_partial:
        return
    hints = {text for text in report.wrong_shape.values() if 'loss_cls' in text}
    raise ValueError(
        f'"{args.src}" and "{args.config}" do not agree: {len(report.missing)} parameters missing, '
        f'{len(report.unexpected)} unexpected, {len(report.wrong_shape)} of another shape, see '
        f'above; nothing was written to "{args.dst}". Choose the config of configs/published with '
        'the same backbone, kind of masks and classes, set the number of frames by --cfg-options '
        'model.bbox_head.num_frames=T, or write the parameters that fit by --allow-partial'
        + ''.join(f'. The class layer: {text}' for text in sorted(hints)[:1])
    )


def main(argv: Sequence[str]) -> None:
    """Convert the file and print the report."""
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options)
    params, others = parameters(load_from_local(args.src, 'cpu'), args.src)
    convert = ours_to_published if args.reverse else published_to_ours
    values, report = convert(params, ModelLayout.of(build_model(cfg)))
    report.unexpected.update(dict.fromkeys(others, 'not a tensor'))
    print(report)
    check(report, args)
    content = values if args.reverse else dict(meta=meta_of(cfg, args.src), state_dict=values)
    with whole_file(args.dst) as file:
        torch.save(content, file)
    print(f'written: {args.dst}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
