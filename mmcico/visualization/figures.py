"""Figures of papers: clips in a row, results above one another."""

from collections.abc import Sequence

import numpy as np

from .clip_pictures import padded
from .draw import contact_sheet, draw_text_
from .overlays import TITLE_COLOUR, Overlay, PathLike, draw_panels, frames_only, panel_frames
from .picture_files import spread
from .style import DrawStyle

Rows = list[list[np.ndarray]]


def clip_figure(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, frames: tuple[int, int], width: int
) -> np.ndarray:
    """Some frames in a row, a row for each panel, as in Fig. 4.

    Args:
        overlay: the video.
        image_root: folder that file names are relative to.
        style: looks; trails and circumscribed boxes are those of the clip.
        frames: position of the first frame, and their number.
        width: of a frame, at most.

    Returns:
        (H', W', 3) uint8 BGR.

    Raises:
        ValueError: if the video has no such frames.
    """
    first, number = frames
    part = frames_only(overlay, range(first, first + number))
    pictures = [
        draw_panels(part, each, style, width) for each in panel_frames(part, image_root, style)
    ]
    return stack([list(row) for row in zip(*pictures)])


def spread_panels(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, number: int, width: int
) -> Rows:
    """Frames spread over a video; no others are drawn.

    Args:
        overlay: the video.
        image_root: folder that file names are relative to.
        style: looks.
        number: of frames, at most.
        width: of a frame, at most.

    Returns:
        For each frame its panels, (H', W', 3) uint8 BGR.
    """
    places = set(spread(len(overlay.file_names), number))
    return [
        draw_panels(overlay, each, style, width)
        for place, each in enumerate(panel_frames(overlay, image_root, style))
        if place in places
    ]


def video_rows(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, columns: int, width: int
) -> Rows:
    """Frames spread over a video, a row for each panel.

    Args:
        overlay: the video.
        image_root: folder that file names are relative to.
        style: looks.
        columns: number of frames.
        width: of a frame, at most.

    Returns:
        Rows of (H', W', 3) uint8 BGR; the first frame has the video's name.
    """
    chosen = spread_panels(overlay, image_root, style, columns, width)
    rows = [list(row) for row in zip(*chosen)]
    draw_text_(rows[0][0], overlay.name, (0, 0), TITLE_COLOUR)
    return rows


def gallery(
    overlays: Sequence[Overlay], image_root: PathLike, style: DrawStyle, columns: int, width: int
) -> np.ndarray:
    """Chosen videos below one another, as in Fig. 6 and 7.

    Args:
        overlays: the videos.
        image_root: folder that file names are relative to.
        style: looks.
        columns: frames of each video.
        width: of a frame, at most.

    Returns:
        (H', W', 3) uint8 BGR.
    """
    rows: Rows = []
    for overlay in overlays:
        rows += video_rows(overlay, image_root, style, columns, width)
    return stack(rows)


def stack(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Rows of pictures as one; black where a picture is smaller or missing.

    Args:
        rows: pictures (H, W, 3) uint8.

    Returns:
        (H', W', 3) uint8.
    """
    columns = max(len(row) for row in rows)
    filled = [
        each for row in rows for each in [*row, *[np.zeros_like(row[0])] * (columns - len(row))]
    ]
    return contact_sheet(padded(filled), columns)
