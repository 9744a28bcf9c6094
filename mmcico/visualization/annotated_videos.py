"""Annotation files of any layout, drawn on their frames."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmcico.datasets.fields import id_key
from mmcico.datasets.video_annotations import AnnotatedVideo, AnnotationFile

from .draw import draw_text_
from .overlays import TITLE_COLOUR, DrawnTrack, Overlay, frames_only, overlay_frames, with_names
from .style import DrawStyle


def annotation_overlays(file: AnnotationFile, wanted: Sequence[str] | None = None) -> list[Overlay]:
    """Videos of a file with all their objects.

    Args:
        file (AnnotationFile): YouTube-VIS, OVIS or CocoVID.
        wanted (Sequence[str], optional): Ids or names (folders) of videos;
            all if left out.

    Returns:
        list[Overlay]: In the order of ``wanted``, or of the file.

    Raises:
        ValueError: If there is no such video.
    """
    names = {id_key(key): name for key, name in file.categories}
    overlays = with_names([_overlay(video, names) for video in file.videos])
    if not wanted:
        return overlays
    known = {id_key(v.id): each for v, each in zip(file.videos, overlays)}
    known.update({each.name: each for each in overlays})
    missing = [key for key in wanted if key not in known]
    if missing:
        first = ', '.join(each.name for each in overlays[:5])
        raise ValueError(
            f'{file.name} has no video {", ".join(missing)}; it '
            f'has {len(overlays)}, the first ones are {first}'
        )
    return [known[key] for key in wanted]


def _overlay(video: AnnotatedVideo, names: dict[str, str]) -> Overlay:
    """A video; objects show the ids of the file, their places if text."""
    tracks = []
    for place, track in enumerate(video.tracks):
        name = names[id_key(track.category_id)]
        if type(track.id) is not int:
            name = f'({track.id}) {name}'
        tracks.append(
            DrawnTrack(
                track_id=track.id if type(track.id) is int else place,
                name=name + (' crowd' if track.iscrowd else ''),
                score=None,
                masks=track.counts,
            )
        )
    return Overlay(
        name=id_key(video.id),
        file_names=video.file_names,
        size=(video.height, video.width),
        panels=[('ground truth', tracks)],
    )


def titled_frames(
    overlay: Overlay,
    image_root: str | Path,
    style: DrawStyle,
    places: Sequence[int] | None = None,
    width: int | None = None,
) -> Iterator[np.ndarray]:
    """Drawn frames with their place and file name below.

    Args:
        overlay (Overlay): The video.
        image_root (str | Path): Folder that file names are relative to.
        style (DrawStyle): Looks.
        places (Sequence[int], optional): Of the frames wanted; all if left
            out.
        width (int, optional): Frames are not wider.

    Yields:
        np.ndarray: (H', W', 3) uint8 BGR, all of one size.

    Raises:
        ValueError: If an image is missing or of another size.
    """
    if places is None:
        places = range(len(overlay.file_names))
    part = frames_only(overlay, places)
    frames = overlay_frames(part, image_root, style, width)
    for place, name, frame in zip(places, part.file_names, frames):
        title = f'{place}: {Path(name).name}'
        draw_text_(frame, title, (0, len(frame) - 1), TITLE_COLOUR)
        yield frame
