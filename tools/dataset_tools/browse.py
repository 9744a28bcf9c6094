"""Look at a data set: frames with masks, ids and classes.

    python tools/dataset_tools/browse.py data/train.json --images data/train \
        --out browse --sheet
    python tools/dataset_tools/browse.py --config CONFIG --out browse

The first form draws what an annotation file says and needs no OpenMMLab
package; the second draws clips as the training pipeline of a config makes
them, flips and all.
"""

import argparse
import importlib
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pure_import import pure_import

from mmcico.utils.tool import run_tool, tool_parser

SHEET_FRAMES = 12
SHEET_COLUMNS = 4
PANEL_WIDTH = 480


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = tool_parser(__doc__.splitlines()[0])
    parser.add_argument('annotations', nargs='?', help='YouTube-VIS, OVIS or CocoVID JSON')
    parser.add_argument('--images', help='folder that file names are relative to')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument('--videos', nargs='+', help='ids or names of videos')
    parser.add_argument(
        '--sheet',
        action='store_true',
        help=f'a picture of up to {SHEET_FRAMES} frames of each video, instead of an mp4',
    )
    parser.add_argument('--fps', type=float, default=6)
    parser.add_argument('--boxes', action='store_true', help='draw boxes, too')
    parser.add_argument('--no-labels', action='store_true')
    parser.add_argument(
        '--min-side',
        type=int,
        default=320,
        help='smaller frames are enlarged by a whole factor to this',
    )
    parser.add_argument('--config', help='draw clips of the train_dataloader of this config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='override settings of the config',
    )
    parser.add_argument('--num-clips', type=int, default=8, help='how many, with --config')
    parser.add_argument('--seed', type=int, default=0, help='of the choice and the pipeline')
    args = parser.parse_args(argv)
    if args.config is None and None in (args.annotations, args.images):
        parser.error('give an annotation file and --images, or --config')
    if args.config is not None and args.annotations is not None:
        parser.error('give either an annotation file or --config')
    return args


def style_of(args: argparse.Namespace, look: Any, boxes: bool) -> Any:
    """How pictures look."""
    return look.DrawStyle(boxes=boxes, labels=not args.no_labels, min_side=args.min_side)


def browse_file(args: argparse.Namespace, load: Callable) -> None:
    """A video or a sheet for each video of an annotation file."""
    videos = load('visualization.overlay_files')
    files = load('visualization.picture_files')
    read = load('formats.read').read_annotations
    draw, spread = load('visualization.overlays'), load('visualization.figures').spread
    style = style_of(args, load('visualization.style'), args.boxes)
    overlays = videos.annotation_overlays(read(args.annotations), args.videos)
    for done, overlay in enumerate(overlays, start=1):
        path = Path(args.out) / overlay.name
        places = spread(len(overlay.file_names), SHEET_FRAMES) if args.sheet else None
        frames = draw.titled_frames(
            overlay, args.images, style, places, PANEL_WIDTH if args.sheet else None
        )
        if args.sheet:
            sheet = load('visualization.draw').contact_sheet(list(frames), SHEET_COLUMNS)
            files.write_picture(f'{path}.png', sheet)
        else:
            files.write_video(f'{path}.mp4', frames, args.fps)
        sys.stderr.write(f'\r{done}/{len(overlays)} videos')
        sys.stderr.flush()
    sys.stderr.write('\n')


def build_dataset(args: argparse.Namespace) -> Any:
    """The training set of a config, with its pipeline."""
    from mmengine.config import Config, DictAction
    from mmengine.registry import DATASETS, init_default_scope

    from mmcico.utils import register_all_modules

    if not Path(args.config).is_file():
        raise FileNotFoundError(f'config "{args.config}" does not exist')
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        parser = argparse.ArgumentParser()
        parser.add_argument('--cfg-options', nargs='+', action=DictAction)
        options = parser.parse_args(['--cfg-options', *args.cfg_options])
        cfg.merge_from_dict(options.cfg_options)
    if 'train_dataloader' not in cfg:
        raise ValueError(f'{args.config} has no train_dataloader')
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    register_all_modules(init_default_scope=False)
    return DATASETS.build(cfg.train_dataloader.dataset)


def chosen_items(length: int, count: int, seed: int) -> list[int]:
    """Items of a data set, drawn once; all random numbers start there."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return sorted(random.sample(range(length), min(count, length)))


def browse_config(args: argparse.Namespace, load: Callable) -> None:
    """A sheet with a row for each clip, one file for all."""
    clips = load('visualization.figures')
    files = load('visualization.picture_files')
    dataset = build_dataset(args)
    style = style_of(args, load('visualization.style'), boxes=True)
    rows = []
    for item in chosen_items(len(dataset), args.num_clips, args.seed):
        rows.append(
            clips.clip_frames(dataset[item], dataset.metainfo['classes'], style, PANEL_WIDTH)
        )
    if not rows:
        raise ValueError(
            f'{args.config}: --num-clips {args.num_clips} of '
            f'{len(dataset)} clips leaves nothing to draw'
        )
    small = clips.padded([frame for row in rows for frame in row])
    sheet = load('visualization.draw').contact_sheet(small, len(rows[0]))
    path = Path(args.out) / f'{Path(args.config).stem}.png'
    files.write_picture(path, sheet)


def full_import(name: str) -> Any:
    """Import a part of mmcico after the package itself."""
    return importlib.import_module(f'mmcico.{name}')


def main(argv: Sequence[str]) -> None:
    """Draw and say where."""
    args = parse_args(argv)
    load = pure_import if args.config is None else full_import
    browse = browse_file if args.config is None else browse_config
    browse(args, load)
    print(args.out)


if __name__ == '__main__':
    sys.exit(run_tool(main))
