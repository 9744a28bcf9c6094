"""Draw the frames of a data set with masks, ids and classes.

    python tools/dataset_tools/browse.py data/train.json --images data/train \
        --out browse --sheet
    python tools/dataset_tools/browse.py --config CONFIG --out browse

The first form draws the objects of an annotation file and needs no OpenMMLab package. The second
form draws clips after the training pipeline of a config, including flips and other augmentations.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.formats.read import read_annotations
from mmcico.utils.tool import natural_int, positive_int, run_tool, tool_parser
from mmcico.visualization.draw import contact_sheet
from mmcico.visualization.figures import clip_frames, spread, stack
from mmcico.visualization.overlay_files import annotation_overlays
from mmcico.visualization.overlays import titled_frames
from mmcico.visualization.picture_files import write_picture, write_video
from mmcico.visualization.style import style_of

SHEET_FRAMES = 12
SHEET_COLUMNS = 4
PANEL_WIDTH = 480


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('annotations', nargs='?', help='YouTube-VIS, OVIS or CocoVID JSON')
    parser.add_argument('--images', help='folder that the file names are relative to')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument('--videos', nargs='+', help='ids or names of videos')
    parser.add_argument(
        '--sheet',
        action='store_true',
        help=f'write a picture of up to {SHEET_FRAMES} frames of each video instead of an mp4',
    )
    parser.add_argument('--fps', type=float, default=6)
    parser.add_argument('--boxes', action='store_true', help='also draw boxes')
    parser.add_argument('--no-labels', dest='labels', action='store_false')
    parser.add_argument(
        '--min-side',
        type=int,
        default=320,
        help='enlarge smaller frames by a whole factor to this side (default: %(default)s)',
    )
    parser.add_argument('--config', help='draw clips of the train_dataloader of this config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='override settings of the config',
    )
    parser.add_argument(
        '--num-clips', type=positive_int, default=8, help='number of clips of --config'
    )
    parser.add_argument(
        '--seed',
        type=natural_int,
        default=0,
        help='seed for the choice of clips and for the pipeline',
    )
    args = parser.parse_args(argv)
    if args.config is None and None in (args.annotations, args.images):
        parser.error('give an annotation file and --images, or --config')
    if args.config is not None and args.annotations is not None:
        parser.error('give either an annotation file or --config')
    return args


def browse_file(args: argparse.Namespace) -> None:
    """Write a video or a sheet for each video of an annotation file."""
    style = style_of(args)
    overlays = annotation_overlays(read_annotations(args.annotations), args.videos)
    for done, overlay in enumerate(overlays, start=1):
        path = Path(args.out) / overlay.name
        places = spread(len(overlay.file_names), SHEET_FRAMES) if args.sheet else None
        width = PANEL_WIDTH if args.sheet else None
        frames = titled_frames(overlay, args.images, style, places, width)
        if args.sheet:
            write_picture(f'{path}.png', contact_sheet(list(frames), SHEET_COLUMNS))
        else:
            write_video(f'{path}.mp4', frames, args.fps)
        sys.stderr.write(f'\r{done}/{len(overlays)} videos')
        sys.stderr.flush()
    sys.stderr.write('\n')


def build_dataset(args: argparse.Namespace) -> Any:
    """Return the training set of a config, with its pipeline."""
    from mmengine.registry import DATASETS, init_default_scope

    from mmcico.utils import register_all_modules
    from mmcico.utils.launch import add_cfg_options, read_config

    options = {}
    if args.cfg_options:
        parser = argparse.ArgumentParser()
        add_cfg_options(parser)
        options = parser.parse_args(['--cfg-options', *args.cfg_options]).cfg_options
    cfg = read_config(args.config, options)
    if 'train_dataloader' not in cfg:
        raise ValueError(f'{args.config} has no train_dataloader')
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    register_all_modules(init_default_scope=False)
    return DATASETS.build(cfg.train_dataloader.dataset)


def chosen_items(length: int, count: int, seed: int) -> list[int]:
    """Draw items of a data set, and seed all random numbers."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return sorted(random.sample(range(length), min(count, length)))


def browse_config(args: argparse.Namespace) -> None:
    """Write one sheet with a row for each clip."""
    dataset = build_dataset(args)
    style = replace(style_of(args), boxes=True)
    classes = dataset.metainfo['classes']
    rows = [
        clip_frames(dataset[item], classes, style, PANEL_WIDTH)
        for item in chosen_items(len(dataset), args.num_clips, args.seed)
    ]
    if not rows:
        raise ValueError(f'{args.config}: the training data set has no clip to draw')
    write_picture(Path(args.out) / f'{Path(args.config).stem}.png', stack(rows))


def main(argv: Sequence[str]) -> None:
    """Draw the pictures and print their folder."""
    args = parse_args(argv)
    if args.config is None:
        browse_file(args)
    else:
        browse_config(args)
    print(args.out)


if __name__ == '__main__':
    sys.exit(run_tool(main))
