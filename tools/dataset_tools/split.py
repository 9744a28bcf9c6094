"""Cut an annotation file into train_sub.json and valid_sub.json.

    python tools/dataset_tools/split.py data/train.json --method stratified

Official validation sets have no annotations; this makes one that can be
measured against. Needs numpy and pycocotools only.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pure_import import pure_import

from mmcico.utils.tool import run_tool, tool_parser

METHODS = ('last', 'random', 'stratified')


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = tool_parser(__doc__.splitlines()[0])
    parser.add_argument('annotations', help='annotation file')
    parser.add_argument(
        '--method',
        choices=METHODS,
        default='last',
        help='last: the last videos of the file, as published results do; '
        'random: by seed; stratified: by seed, each class with its share of '
        'objects (default: last)',
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        '--fraction',
        type=float,
        default=0.1,
        help='share of the videos for validation (default: 0.1)',
    )
    size.add_argument('--num-valid', type=int, help='number of videos for validation')
    parser.add_argument('--seed', type=int, default=0)
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
    if args.num_valid is not None and args.num_valid < 1:
        parser.error(f'--num-valid {args.num_valid}: choose 1 or more')
    return args


def targets(args: argparse.Namespace) -> list[Path]:
    """The two files to write.

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


def split(args: argparse.Namespace) -> None:
    """Read, choose, write, and print what each part holds."""
    paths = targets(args)
    files = pure_import('datasets.annotation_files')
    part = pure_import('analysis.split_file')
    name = args.annotations
    data = files.load_annotations(name)
    members = part.read_members(data, name)
    number = args.num_valid
    if number is None:
        number = part.number_to_choose(len(members.keys), args.fraction)
    valid = part.choose_videos(members, args.method, number, args.seed, name)
    train = set(range(len(members.keys))) - valid
    write_json = pure_import('analysis.output').write_json
    for path, chosen in zip(paths, (train, valid)):
        write_json(path, part.part_of(data, members, chosen), indent=None)
        print(f'{path}: {part.describe(members, chosen)}')


def main(argv: Sequence[str]) -> int:
    """Run, and say by the exit code whether all is well."""
    args = parse_args(argv)
    try:
        split(args)
    except (ValueError, OSError) as error:
        print(f'split: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
