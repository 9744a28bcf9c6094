"""Arguments that say how pictures look."""

import argparse

from .style import DrawStyle


def add_style_arguments(parser: argparse.ArgumentParser) -> None:
    """What :class:`DrawStyle` has, as arguments."""
    looks = parser.add_argument_group('pictures')
    looks.add_argument('--boxes', action='store_true', help='draw boxes, too')
    looks.add_argument(
        '--enclosing',
        action='store_true',
        help='draw circumscribed boxes over three frames, dashed',
    )
    looks.add_argument(
        '--trail', type=int, default=0, metavar='N', help='join the centres of the last N frames'
    )
    looks.add_argument('--no-labels', action='store_true')
    looks.add_argument('--no-contours', action='store_true')
    looks.add_argument(
        '--opacity',
        type=float,
        default=DrawStyle.opacity,
        help='of the tint inside masks, 0 to 1 (default: %(default)s)',
    )
    looks.add_argument(
        '--min-side',
        type=int,
        default=DrawStyle.min_side,
        help='smaller frames are enlarged by a whole factor to this (default: %(default)s)',
    )


def style_of(args: argparse.Namespace) -> DrawStyle:
    """How pictures look."""
    return DrawStyle(
        opacity=args.opacity,
        boxes=args.boxes,
        labels=not args.no_labels,
        min_side=args.min_side,
        contours=not args.no_contours,
        enclosing=args.enclosing,
        trail=args.trail,
    )
