"""Write the clip network of a model as an ONNX file.

    python tools/deployment/export_onnx.py CONFIG CHECKPOINT OUT.onnx

The input of the file is the T normalised frames of one clip, float32 (T, 3, height, width), with
any height and width that are multiples of 32. The outputs are class logits, box deltas, mask
parameters, embeddings, prototypes and, if the model has it, centerness. The file does not select,
draw and link instances; mmcico.deployment.load_onnx_model does.

The tool compares ONNX Runtime and PyTorch at two or more other sizes. If they differ by more than
1e-4, it writes nothing and the exit code is 1.
"""

import argparse
import os.path as osp
import sys
from collections.abc import Sequence

from mmcico.compat.checkpoint import load_from_local

from mmcico.apis.model_loading import classes_of
from mmcico.deployment.onnx_export import CHECK_SIZES, TOLERANCE, export_onnx
from mmcico.deployment.onnx_files import OnnxInfo
from mmcico.utils.files import is_one_of
from mmcico.utils.launch import add_cfg_options, build_model, read_config
from mmcico.utils.tool import run_tool, tool_parser
from mmcico.utils.weights import load_weights


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights of the model')
    parser.add_argument('out', help='ONNX file to write')
    parser.add_argument(
        '--height',
        type=int,
        help='height of the padded input, such as 384; the file is also checked at this size',
    )
    parser.add_argument('--width', type=int, help='width of the padded input, such as 640')
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
    if is_one_of(args.out, (args.config, args.checkpoint)):
        parser.error(f'{args.out} is a file to be read; give another name')
    return args


def main(argv: Sequence[str]) -> None:
    """Export the model and print the differences."""
    args = parse_args(argv)
    if not osp.isfile(args.checkpoint):
        raise FileNotFoundError(f'"{args.checkpoint}" does not exist')
    cfg = read_config(args.config, args.cfg_options)
    model = build_model(cfg).eval()
    checkpoint = load_from_local(args.checkpoint, 'cpu')
    weights = checkpoint.get('state_dict', checkpoint)
    for line in load_weights(model, weights, args.checkpoint, args.allow_partial):
        print(line)
    info = OnnxInfo.of(model, cfg, *classes_of(cfg, checkpoint.get('meta') or {}))
    sizes = list(CHECK_SIZES)
    if args.height is not None:
        sizes.append((args.height, args.width))
    report = export_onnx(model, args.out, info, sizes, args.opset)
    for (height, width), values in report.items():
        text = ', '.join(f'{name} {value:.1e}' for name, value in values.items())
        print(f'checked at {height} x {width}: {text}')
    print(f'written: {args.out}; ONNX Runtime and PyTorch agree within {TOLERANCE:g}')


if __name__ == '__main__':
    sys.exit(run_tool(main))
