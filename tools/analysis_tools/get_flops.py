"""Count the parameters and the multiplications of a model for one clip.

    python tools/analysis_tools/get_flops.py CONFIG --size 360 640

A multiplication with its addition counts as one, as in MMDetection's tool of this name. All layers
run on whole frames, which gives an upper bound, because tests run some layers only near candidates.
"""

import argparse
import sys
from collections.abc import Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

from mmcico.utils.launch import add_cfg_options, build_model, read_config
from mmcico.utils.tool import positive_int, run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('config', help='config file of a CiCo model')
    parser.add_argument(
        '--size',
        nargs=2,
        type=positive_int,
        default=[360, 640],
        metavar=('H', 'W'),
        help='size of the frames, which are padded as for the model (default: 360 640)',
    )
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Run the model on an empty clip and print the counts."""
    args = parse_args(argv)
    cfg = read_config(args.config, args.cfg_options)
    if cfg.model.type != 'mmcico.CiCo':
        raise ValueError(
            f'{args.config}: the model is {cfg.model.type}; give a config of mmcico.CiCo'
        )
    model = build_model(cfg).eval()
    divisor = cfg.model.get('data_preprocessor', {}).get('pad_size_divisor', 1)
    height, width = (-(-side // divisor) * divisor for side in args.size)
    clip = torch.zeros(1, model.num_frames, 3, height, width)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(clip, mode='tensor')
    macs = counter.get_total_flops() / 2
    params = sum(each.numel() for each in model.parameters())
    print(
        f'clip: {model.num_frames} frames of {height} x {width}\n'
        f'parameters: {params / 1e6:.2f} M\n'
        f'multiplications: {macs / 1e9:.3f} G a clip, {macs / model.num_frames / 1e9:.3f} G a frame'
    )


if __name__ == '__main__':
    sys.exit(run_tool(main))
