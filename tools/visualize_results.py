"""Draw results or ground truth on the frames, without any model.

    python tools/visualize_results.py data/JPEGImages data/instances.json \
        results.json --out overlays
"""
import argparse
import sys
from itertools import chain
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

import cv2
import numpy as np

from mmcico.visualization import contact_sheet, open_video_writer
from mmcico.visualization.overlays import (DrawStyle, Overlay, load_overlays,
                                           overlay_frames)

SHEET_FRAMES = 10
SHEET_COLUMNS = 5
PANEL_WIDTH = 400


def parse_args(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'image_root', help='folder that file_names are relative to')
    parser.add_argument(
        'annotations', help='JSON of the layout of YouTube-VIS')
    parser.add_argument(
        'results', nargs='?', help='results.json; ground truth if left out')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument(
        '--score-thr', type=float, default=.3, help='least score drawn')
    parser.add_argument(
        '--videos', nargs='+', help='names or positions (0-based) of videos')
    parser.add_argument('--fps', type=float, default=6)
    parser.add_argument(
        '--side-by-side',
        action='store_true',
        help='results on the left, ground truth on the right')
    parser.add_argument(
        '--contact-sheet',
        action='store_true',
        help=f'also a picture of up to {SHEET_FRAMES} frames of each video')
    parser.add_argument('--boxes', action='store_true', help='draw boxes')
    parser.add_argument('--no-labels', action='store_true')
    parser.add_argument(
        '--min-side',
        type=int,
        default=320,
        help='smaller frames are enlarged by a whole factor to this')
    return parser.parse_args(argv)


def choose(overlays: List[Overlay],
           wanted: Optional[Sequence[str]]) -> List[Overlay]:
    """The videos that are wanted, by name or position."""
    if not wanted:
        return overlays
    known = {str(index): each for index, each in enumerate(overlays)}
    known.update({each.name: each for each in overlays})
    missing = [name for name in wanted if name not in known]
    if missing:
        names = ', '.join(each.name for each in overlays[:5])
        raise ValueError(
            f'no video {", ".join(missing)}; there are {len(overlays)}, the '
            f'first ones are {names}')
    return [known[name] for name in wanted]


def write_overlay(overlay: Overlay, frames: Iterator[np.ndarray],
                  args: argparse.Namespace) -> None:
    """Write the video and, if wanted, the contact sheet of one video."""
    out = Path(args.out)
    length = len(overlay.file_names)
    count = min(SHEET_FRAMES, length)
    picked = set(np.linspace(0, length - 1, count).round().astype(int))
    sheet = []
    first = next(frames)
    with open_video_writer(out / f'{overlay.name}.mp4', args.fps,
                           first.shape[:2]) as writer:
        for index, frame in enumerate(chain([first], frames)):
            writer.write(frame)
            if args.contact_sheet and index in picked:
                sheet.append(_shrink(frame, PANEL_WIDTH * len(overlay.panels)))
    if sheet:
        columns = SHEET_COLUMNS // len(overlay.panels)
        path = out / f'{overlay.name}.png'
        if not cv2.imwrite(str(path), contact_sheet(sheet, columns)):
            raise OSError(f'cannot write the picture {path}')


def _shrink(frame: np.ndarray, width: int) -> np.ndarray:
    if frame.shape[1] <= width:
        return frame
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Draw all wanted videos."""
    args = parse_args(argv)
    style = DrawStyle(
        boxes=args.boxes, labels=not args.no_labels, min_side=args.min_side)
    overlays = choose(
        load_overlays(args.annotations, args.results, args.score_thr,
                      args.side_by_side), args.videos)
    for done, overlay in enumerate(overlays, start=1):
        write_overlay(overlay, overlay_frames(overlay, args.image_root, style),
                      args)
        sys.stderr.write(f'\r{done}/{len(overlays)} videos')
        sys.stderr.flush()
    sys.stderr.write('\n')
    print(args.out)


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f'visualize_results: {error}')
