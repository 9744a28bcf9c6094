"""Split an annotation file into train_sub.json and valid_sub.json.

    python tools/dataset_tools/split.py data/train.json --method stratified

The official validation sets have no annotations; with this tool, a part of the training set
replaces them. It needs only NumPy and pycocotools.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmcico.analysis import split_file
from mmcico.formats.cocovid import with_videos
from mmcico.formats.read import load_json
from mmcico.formats.write import write_json
from mmcico.utils.tool import natural_int, positive_int, run_tool, tool_parser


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument(
        '--method',
        choices=split_file.METHODS,
        default='last',
        help='last: the last videos of the file, as for published results; random: videos drawn '
        'by the seed; stratified: drawn by the seed, with the same share of the objects of each '
        'class (default: last)',
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        '--fraction',
        type=float,
        default=0.1,
        help='share of the videos for validation (default: 0.1)',
    )
    size.add_argument('--num-valid', type=positive_int, help='number of videos for validation')
    parser.add_argument('--seed', type=natural_int, default=0)
    parser.add_argument('--out-dir', help='folder to write (default: that of the file)')
    parser.add_argument(
        '--names',
        nargs=2,
        default=('train_sub.json', 'valid_sub.json'),
        metavar=('TRAIN', 'VALID'),
        help='names of the two files',
    )
    args = parser.parse_args(argv)
    if not 0 < args.fraction < 1:
        parser.error(f'--fraction {args.fraction} is not between 0 and 1')
    return args


def targets(args: argparse.Namespace) -> list[Path]:
    """Return the two files to write.

    Raises:
        ValueError: If they are the same, or the file that is read.
    """
    source = Path(args.annotations)
    folder = Path(args.out_dir) if args.out_dir else source.parent
    paths = [folder / name for name in args.names]
    if len({path.resolve() for path in (source, *paths)}) < 3:
        raise ValueError(
            f'{source}, {paths[0]} and {paths[1]} must be three files; set --names or --out-dir'
        )
    return paths


def main(argv: Sequence[str]) -> None:
    """Write both parts and print a description of each."""
    args = parse_args(argv)
    paths = targets(args)
    name = args.annotations
    data = load_json(name)
    if isinstance(data, dict):
        data = with_videos(data)
    members = split_file.read_members(data, name)
    number = args.num_valid
    if number is None:
        number = split_file.number_to_choose(len(members.keys), args.fraction)
    valid = split_file.choose_videos(members, args.method, number, args.seed, name)
    train = set(range(len(members.keys))) - valid
    for path, chosen in zip(paths, (train, valid)):
        write_json(path, split_file.part_of(data, members, chosen))
        print(f'{path}: {split_file.describe(members, chosen)}')
    warning = split_file.shared_frames(members, valid)
    if warning:
        print(warning)


if __name__ == '__main__':
    sys.exit(run_tool(main))
