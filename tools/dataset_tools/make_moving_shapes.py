"""Generate a moving-shapes data set in the layout of YouTube-VIS.

    python tools/dataset_tools/make_moving_shapes.py --out data/shapes/train \
        --num-videos 250 --seed 0
"""

import argparse
import sys
from collections.abc import Sequence

from mmcico.datasets.moving_shapes import (
    DIFFICULTIES,
    SHAPE_CLASSES,
    SceneConfig,
    make_config,
    write_dataset,
)
from mmcico.utils.tool import natural_int, run_tool, tool_parser

LEVELS = ('motion', 'occlusion', 'blur', 'camera', 'flicker')


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('--out', required=True, help='output folder')
    parser.add_argument('--num-videos', type=natural_int, default=250)
    parser.add_argument('--num-frames', type=int, default=10)
    parser.add_argument('--size', type=int, nargs=2, default=(96, 160), metavar=('H', 'W'))
    parser.add_argument(
        '--num-classes',
        type=int,
        default=4,
        help=f'1 to {len(SHAPE_CLASSES)}: {", ".join(kind.name for kind in SHAPE_CLASSES)}',
    )
    parser.add_argument('--objects', type=int, nargs=2, default=(1, 4), metavar=('MIN', 'MAX'))
    parser.add_argument('--seed', type=natural_int, default=0)
    parser.add_argument('--difficulty', choices=list(DIFFICULTIES), default='medium')
    for name in LEVELS:
        parser.add_argument(
            f'--{name}', type=float, help='0 to 1, instead of the value of the difficulty'
        )
    parser.add_argument(
        '--workers',
        type=natural_int,
        default=1,
        help='number of processes (0 or 1: this one), which does not change the result',
    )
    args = parser.parse_args(argv)
    try:
        args.config = scene_config(args)
    except ValueError as error:  # a value out of its range
        parser.error(str(error))
    return args


def scene_config(args: argparse.Namespace) -> SceneConfig:
    """Return the settings of the videos."""
    levels = {name: getattr(args, name) for name in LEVELS}
    return make_config(
        args.difficulty,
        num_frames=args.num_frames,
        size=tuple(args.size),
        num_classes=args.num_classes,
        objects=tuple(args.objects),
        **{name: value for name, value in levels.items() if value is not None},
    )


def main(argv: Sequence[str]) -> None:
    """Write the data set and print the path of its annotation file."""
    args = parse_args(argv)

    def progress(done: int) -> None:
        if done % 25 == 0 or done == args.num_videos:
            sys.stderr.write(f'\r{done}/{args.num_videos} videos')
            sys.stderr.flush()

    path = write_dataset(args.out, args.num_videos, args.seed, args.config, args.workers, progress)
    sys.stderr.write('\n')
    print(path)


if __name__ == '__main__':
    sys.exit(run_tool(main))
