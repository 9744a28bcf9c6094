"""Figures: frames of videos in a row, results above one another, clips of a training."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .draw import DrawnObject, contact_sheet, draw_text_
from .overlays import Overlay, PathLike, draw_panels, panel_frames
from .style import DrawStyle, draw_frame


def spread(length: int, count: int) -> list[int]:
    """Return up to ``count`` evenly spread positions from 0 to ``length - 1``.

    >>> spread(10, 4)
    [0, 3, 6, 9]
    """
    places = np.linspace(0, length - 1, min(length, count)).round()
    return places.astype(int).tolist()


def clip_figure(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, frames: tuple[int, int], width: int
) -> np.ndarray:
    """Draw consecutive frames in a row, one row for each panel, as in Fig. 4.

    ``frames`` are the position of the first frame and their number, ``width`` is the greatest width
    of a frame. Trails and circumscribed boxes are those of the clip.

    Raises:
        ValueError: If the video has no such frames.
    """
    first, number = frames
    part = overlay.at(range(first, first + number))
    frames_of_panels = (
        draw_panels(part, each, style, width) for each in panel_frames(part, image_root, style)
    )
    return stack([*zip(*frames_of_panels)])


def spread_panels(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, number: int, width: int
) -> list[list[np.ndarray]]:
    """Draw up to ``number`` frames that are evenly spread over a video.

    Returns the panels of each frame, (H', W', 3) uint8 BGR, ``width`` wide at most.
    """
    places = set(spread(len(overlay.file_names), number))
    return [
        draw_panels(overlay, each, style, width)
        for place, each in enumerate(panel_frames(overlay, image_root, style))
        if place in places
    ]


def gallery(
    overlays: Sequence[Overlay], image_root: PathLike, style: DrawStyle, columns: int, width: int
) -> np.ndarray:
    """Draw videos below one another, one row for each panel, as in Fig. 6 and 7.

    The ``columns`` frames of a video are evenly spread, and ``width`` wide at most; the first one
    of each shows its name.
    """
    rows: list[Sequence[np.ndarray]] = []
    for overlay in overlays:
        own = [*zip(*spread_panels(overlay, image_root, style, columns, width))]
        draw_text_(own[0][0], overlay.name, (0, 0))
        rows += own
    return stack(rows)


def stack(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Combine rows of pictures (H, W, 3); black where a picture is smaller or missing."""
    columns = max(map(len, rows))
    nothing = np.zeros((0, 0, 3), np.uint8)
    filled = [each for row in rows for each in [*row, *[nothing] * (columns - len(row))]]
    return contact_sheet(filled, columns)


def clip_frames(
    packed: dict, classes: Sequence[str], style: DrawStyle, width: int | None = None
) -> list[np.ndarray]:
    """Draw a clip as a pipeline gives it to the network, ``width`` wide at most.

    ``packed`` is the output of ``PackClipInputs``: ``inputs`` (T, 3, H, W) BGR and
    ``data_samples``. Objects that training ignores are labelled "ignored".
    """
    pictures = []
    sample = packed['data_samples']
    images = packed['inputs'].permute(0, 2, 3, 1).numpy()
    for t, (pixels, frame) in enumerate(zip(images, sample)):
        image = np.ascontiguousarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
        objects = _objects(frame.gt_instances, classes, '')
        if 'ignored_instances' in frame:
            objects += _objects(frame.ignored_instances, classes, ' ignored')
        picture = draw_frame(image, objects, style, width)
        draw_text_(picture, frame_title(sample, frame, t))
        pictures.append(picture)
    return pictures


def frame_title(sample: Any, frame: Any, place: int) -> str:
    """Return the video, the frame, whether it is the query frame, and its flip."""
    parts = [f'video {frame.get("video_id")} frame {frame.get("frame_id")}']
    if sample.get('key_index') == place:
        parts.append('query')
    if frame.get('flip'):
        parts.append(f'flipped {frame.get("flip_direction")}')
    return ', '.join(parts)


def _objects(instances: Any, classes: Sequence[str], note: str) -> list[DrawnObject]:
    """Return the objects of one frame after all transforms."""
    if len(instances) == 0:
        return []
    boxes = getattr(instances.bboxes, 'tensor', instances.bboxes).tolist()
    return [
        DrawnObject(int(key), mask.astype(bool), classes[int(label)] + note, box=tuple(box))
        for key, mask, label, box in zip(
            instances.instances_ids, instances.masks.masks, instances.labels, boxes
        )
    ]
