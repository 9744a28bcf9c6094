"""Write the clip network of a model as an ONNX file.

    python tools/deployment/export_onnx.py CONFIG CHECKPOINT OUT.onnx

The file takes the T normalised frames of one clip, float32 (T, 3, height,
width), of any height and width that are multiples of 32. It gives class
logits, box deltas, mask parameters, embeddings, prototypes and, where the
model has it, centerness. Selecting, drawing and linking instances is not part
of it; mmcico.deployment.load_onnx_model does that.

ONNX Runtime must give what PyTorch gives at two or more other sizes, within
1e-4, or nothing is written and the exit code is 1.
"""

import argparse
import os.path as osp
import sys
from collections.abc import Sequence

from mmcico.compat.checkpoint import load_from_local

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcico.apis.model_loading import category_ids, class_names, load_weights
from mmcico.deployment.onnx_export import CHECK_SIZES, TOLERANCE, export_onnx
from mmcico.deployment.onnx_files import OnnxInfo
from mmcico.registry import MODELS
from mmcico.utils.launch import add_cfg_options
from mmcico.utils.tool import run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights of the model')
    parser.add_argument('out', help='ONNX file to write')
    parser.add_argument(
        '--height',
        type=int,
        help='with --width: also check the file at this size of the padded input, e.g. 384',
    )
    parser.add_argument('--width', type=int, help='e.g. 640')
    parser.add_argument('--opset', type=int, default=17, help='version of ONNX operators')
    parser.add_argument(
        '--allow-partial',
        action='store_true',
        help='export even if weights are missing or do not fit',
    )
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    if (args.height is None) != (args.width is None):
        parser.error('--height and --width go together')
    return args


def main(argv: Sequence[str]) -> None:
    """Run the tool."""
    args = parse_args(argv)
    for path in (args.config, args.checkpoint):
        if not osp.isfile(path):
            raise FileNotFoundError(f'"{path}" does not exist')
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or dict())
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model = MODELS.build(cfg.model).eval()
    checkpoint = load_from_local(args.checkpoint, 'cpu')
    for line in load_weights(
        model, checkpoint.get('state_dict', checkpoint), args.checkpoint, args.allow_partial
    ):
        sys.stdout.write(f'{line}\n')
    meta = checkpoint.get('meta') or dict()
    classes = class_names(cfg, meta)
    info = OnnxInfo.of(model, cfg, classes, category_ids(classes, meta))
    sizes = list(CHECK_SIZES)
    if args.height is not None:
        sizes.append((args.height, args.width))
    report = export_onnx(model, args.out, info, sizes, args.opset)
    for (height, width), values in report.items():
        text = ', '.join(f'{name} {value:.1e}' for name, value in values.items())
        sys.stdout.write(f'checked at {height} x {width}: {text}\n')
    sys.stdout.write(f'written: {args.out}; ONNX Runtime and PyTorch agree within {TOLERANCE:g}\n')


if __name__ == '__main__':
    sys.exit(run_tool(main))
