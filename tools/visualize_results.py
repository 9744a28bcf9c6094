"""Draw results or ground truth on the frames, without any model.

    python tools/visualize_results.py data/JPEGImages data/instances.json \
        results.json --out overlays

The tool writes videos by default. It can also write figures: two models and the ground truth on
frames 10, 11 and 12 (Fig. 4 of the paper), or chosen videos below one another (Fig. 6 and 7):

    python tools/visualize_results.py IMAGES ANNOTATIONS a.json b.json \
        --side-by-side --clip 10 3 --out figures
    python tools/visualize_results.py IMAGES ANNOTATIONS results.json \
        --videos cat dog --gallery --out figures
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from mmcico.utils.tool import positive_int, run_tool, tool_parser
from mmcico.visualization import contact_sheet, open_video_writer
from mmcico.visualization.figures import clip_figure, gallery, spread
from mmcico.visualization.overlay_files import chosen, load_overlays
from mmcico.visualization.overlays import Overlay, draw_panels, panel_frames
from mmcico.visualization.picture_files import write_picture
from mmcico.visualization.style import DrawStyle, add_style_arguments, style_of

SHEET_FRAMES = 10
SHEET_COLUMNS = 5
PANEL_WIDTH = 400


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('image_root', help='folder that the file_names are relative to')
    parser.add_argument('annotations', help='JSON file in the layout of YouTube-VIS')
    parser.add_argument(
        'results',
        nargs='*',
        help='results.json, or several to compare; the ground truth is drawn if there are none',
    )
    parser.add_argument('--out', required=True, help='output folder')
    parser.add_argument(
        '--score-thr',
        type=float,
        default=0.3,
        help='lowest score that is drawn (default: %(default)s)',
    )
    parser.add_argument('--videos', nargs='+', help='names or 0-based positions of videos')
    parser.add_argument(
        '--fps', type=float, default=6, help='frames per second (default: %(default)s)'
    )
    parser.add_argument(
        '--titles', nargs='+', help='titles of the results (default: their file names)'
    )
    parser.add_argument(
        '--side-by-side', action='store_true', help='draw the ground truth beside the results'
    )
    parser.add_argument(
        '--contact-sheet',
        action='store_true',
        help=f'write a picture of up to {SHEET_FRAMES} frames of each video, too',
    )
    parser.add_argument(
        '--clip',
        type=int,
        nargs=2,
        metavar=('FIRST', 'NUMBER'),
        help='write a picture of these frames of each video, one row for each of the results, '
        'instead of a video',
    )
    parser.add_argument(
        '--gallery',
        type=positive_int,
        nargs='?',
        const=SHEET_COLUMNS,
        metavar='FRAMES',
        help='write one picture with this number of frames of each video (default: %(const)s), '
        'instead of videos',
    )
    parser.add_argument(
        '--width',
        type=positive_int,
        default=PANEL_WIDTH,
        help='greatest width of a frame in pictures (default: %(default)s)',
    )
    add_style_arguments(parser)
    args = parser.parse_args(argv)
    if args.titles and len(args.titles) != len(args.results):
        parser.error(f'{len(args.titles)} --titles for {len(args.results)} results')
    if not 0 <= args.score_thr <= 1:
        parser.error(f'--score-thr {args.score_thr}: scores are between 0 and 1')
    return args


def titled(args: argparse.Namespace) -> dict[str, str]:
    """Return the results files by their titles."""
    if len(args.results) == 1 and not args.titles:
        return {'results': args.results[0]}
    titles = args.titles or args.results
    if len(set(titles)) < len(titles):
        raise ValueError(
            f'{" ".join(titles)}: a title occurs twice; give distinct ones by --titles'
        )
    return dict(zip(titles, args.results))


def write_overlay(overlay: Overlay, style: DrawStyle, args: argparse.Namespace) -> None:
    """Write the video and, if wanted, the contact sheet of one video."""
    out = Path(args.out)
    picked = spread(len(overlay.file_names), SHEET_FRAMES)
    sheet = []
    with ExitStack() as stack:
        writer = None
        for index, panels in enumerate(panel_frames(overlay, args.image_root, style)):
            frame = np.hstack(draw_panels(overlay, panels, style))
            if writer is None:
                writer = stack.enter_context(
                    open_video_writer(out / f'{overlay.name}.mp4', args.fps, frame.shape[:2])
                )
            writer.write(frame)
            if args.contact_sheet and index in picked:
                sheet.append(np.hstack(draw_panels(overlay, panels, style, args.width)))
    if sheet:
        columns = max(1, SHEET_COLUMNS // len(overlay.panels))
        write_picture(out / f'{overlay.name}.png', contact_sheet(sheet, columns))


def write_one(overlay: Overlay, style: DrawStyle, args: argparse.Namespace) -> None:
    """Write the picture or the video of one video."""
    if args.clip:
        figure = clip_figure(overlay, args.image_root, style, tuple(args.clip), args.width)
        name = f'{overlay.name}_{args.clip[0]}+{args.clip[1]}.png'
        write_picture(Path(args.out) / name, figure)
    else:
        write_overlay(overlay, style, args)


def main(argv: Sequence[str]) -> None:
    """Draw the videos and print the folder."""
    args = parse_args(argv)
    style = style_of(args)
    overlays = load_overlays(
        args.annotations, titled(args) if args.results else None, args.score_thr, args.side_by_side
    )
    places = [str(place) for place in range(len(overlays))]
    overlays = chosen(overlays, args.videos, places, args.annotations)
    if args.gallery is not None:
        picture = gallery(overlays, args.image_root, style, args.gallery, args.width)
        write_picture(Path(args.out) / 'gallery.png', picture)
        overlays = []
    for done, overlay in enumerate(overlays, start=1):
        write_one(overlay, style, args)
        sys.stderr.write(f'\r{done}/{len(overlays)} videos')
        sys.stderr.flush()
    sys.stderr.write('\n' if overlays else '')
    print(args.out)


if __name__ == '__main__':
    sys.exit(run_tool(main))
