"""Results and ground truth files as overlays on the frames they describe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from mmcico.evaluation.tracks import Track
from mmcico.evaluation.vis_json import GroundTruth, Tracks, read_ground_truth, read_results
from mmcico.utils.json_file import load_json

from .draw import DrawnObject, draw_text_
from .history import Frame, TrackHistory
from .shared_numbers import shared_numbers
from .style import DrawStyle, draw_frame

PathLike = str | Path
TITLE_COLOUR = (40, 40, 40)
#: category and track
Member = tuple[int, Track]


@dataclass(frozen=True)
class DrawnTrack:
    """A track as its file has it.

    Attributes:
        track_id: the same for an object in all files of its video.
        name: class name.
        score: None for ground truth.
        masks: compressed counts, one entry a frame; None where absent.
    """

    track_id: int
    name: str
    score: float | None
    masks: Sequence[str | None]


@dataclass(frozen=True)
class Overlay:
    """A video and the tracks to draw on it.

    Attributes:
        name: for file names; unique in a data set.
        file_names: of the frames, relative to the image folder.
        size: height and width.
        panels: title and tracks of each picture, side by side.
    """

    name: str
    file_names: Sequence[str]
    size: tuple[int, int]
    panels: Sequence[tuple[str, Sequence[DrawnTrack]]]


def load_overlays(
    annotations: PathLike,
    results: PathLike | Mapping[str, PathLike] | None = None,
    score_thr: float = 0.3,
    side_by_side: bool = False,
) -> list[Overlay]:
    """Read what is to be drawn.

    Args:
        annotations: file of YouTube-VIS' layout; drawn itself if there are
            no ``results``.
        results: ``results.json`` of YouTube-VIS' layout, or several by
            their titles.
        score_thr: results below are left out.
        side_by_side: results beside the ground truth.

    Returns:
        One entry for each video of ``annotations``, in its order. Tracks of
        all files have the numbers of the ground truth, or else of the first
        results: see :func:`shared_numbers`.

    Raises:
        ValueError: if a file is not usable, or no ground truth is there when
            it is to be drawn.
    """
    content = load_json(annotations)
    truth = read_ground_truth(content, str(annotations))
    if results is not None and not isinstance(results, Mapping):
        results = dict(results=results)
    files = {
        title: _by_video(read_results(path, truth), score_thr)
        for title, path in (results or {}).items()
    }
    with_truth = not files or side_by_side
    if with_truth and not truth.has_annotations:
        raise ValueError(
            f'{annotations} has no annotations to draw; give a results file, without --side-by-side'
        )
    objects = _by_video(truth.tracks)
    entries = {str(entry['id']): entry for entry in content['videos']}
    overlays = []
    for index, video in enumerate(truth.videos):
        entry = entries[str(video.id)]
        # the ground truth gives the numbers, shown or not
        shown, *found = _drawn_tracks(
            [each.get(index, []) for each in (objects, *files.values())], truth, video.size
        )
        panels = list(zip(files, found))
        if with_truth:
            panels.append(('ground truth', shown))
        overlays.append(
            Overlay(
                name=str(video.id),
                file_names=_file_names(entry, video.length, annotations),
                size=video.size,
                panels=panels,
            )
        )
    return with_names(overlays)


def _file_names(entry: dict[str, Any], length: int, annotations: PathLike) -> list[str]:
    names = entry.get('file_names')
    if not isinstance(names, list) or len(names) != length:
        raise ValueError(
            f'{annotations}: video {entry["id"]}: field file_names is not a list of {length} names'
        )
    return names


def _by_video(tracks: Tracks, score_thr: float = 0.0) -> dict[int, list[Member]]:
    """Categories and tracks of each video, all by position."""
    found: dict[int, list[Member]] = {}
    for (video, category), members in tracks.items():
        found.setdefault(video, []).extend(
            (category, each) for each in members if each.score >= score_thr
        )
    return found


def _drawn_tracks(
    files: Sequence[Sequence[Member]], truth: GroundTruth, size: tuple[int, int]
) -> list[list[DrawnTrack]]:
    """A video in each file, the ground truth first: it has no scores."""
    numbers = shared_numbers([[track for _, track in members] for members in files], size)
    return [
        [
            DrawnTrack(
                number, truth.categories[category][1], track.score if place else None, track.masks
            )
            for number, (category, track) in zip(own, members)
        ]
        for place, (own, members) in enumerate(zip(numbers, files))
    ]


def with_names(overlays: Sequence[Overlay]) -> list[Overlay]:
    """Name videos after the folders of their frames, if these differ."""
    folders = [Path(o.file_names[0]).parent.as_posix().replace('/', '_') for o in overlays]
    named = []
    for overlay, folder in zip(overlays, folders):
        usable = folder not in ('', '.') and folders.count(folder) == 1
        name = folder if usable else f'video_{overlay.name}'
        named.append(Overlay(name, overlay.file_names, overlay.size, overlay.panels))
    return named


def frame_objects(
    tracks: Sequence[DrawnTrack], frame: int, size: tuple[int, int]
) -> list[DrawnObject]:
    """Objects of one frame, with their masks decoded."""
    objects = []
    for track in tracks:
        counts = track.masks[frame]
        if counts is not None:
            mask = mask_utils.decode(dict(size=list(size), counts=counts))
            objects.append(DrawnObject(track.track_id, mask.astype(bool), track.name, track.score))
    return objects


def read_frame(path: Path, size: tuple[int, int], video: str) -> np.ndarray:
    """A frame, (H, W, 3) uint8 BGR.

    Raises:
        ValueError: if it is missing, broken or of another size.
    """
    image = cv2.imread(str(path))
    if image is None:
        found = 'is not a readable image' if path.exists() else 'is missing'
        raise ValueError(
            f'video {video}: frame {path} {found}; file '
            'names must be relative to the image folder given'
        )
    if image.shape[:2] != tuple(size):
        raise ValueError(
            f'video {video}: frame {path} is {image.shape[:2]} (height, '
            f'width), but the annotation file says {tuple(size)}'
        )
    return image


def panel_frames(overlay: Overlay, image_root: PathLike, style: DrawStyle) -> Iterator[list[Frame]]:
    """For each frame, what each panel has to show; nothing is drawn."""
    histories = [TrackHistory(style) for _ in overlay.panels]
    for index, name in enumerate(overlay.file_names):
        image = read_frame(Path(image_root) / name, overlay.size, overlay.name)
        done = [
            history.push(image, frame_objects(tracks, index, overlay.size))
            for history, (_, tracks) in zip(histories, overlay.panels)
        ]
        yield from map(list, zip(*done))
    yield from map(list, zip(*(history.flush() for history in histories)))


def draw_panels(
    overlay: Overlay, frames: Sequence[Frame], style: DrawStyle, width: int | None = None
) -> list[np.ndarray]:
    """One frame as all panels show it, titled if there are several.

    Args:
        overlay: the video.
        frames: one of :func:`panel_frames`.
        style: looks.
        width: panels are not wider.

    Returns:
        For each panel (H', W', 3) uint8 BGR, all of one size.
    """
    pictures = [draw_frame(image, found, style, width) for image, found in frames]
    if len(pictures) > 1:
        for picture, (title, _) in zip(pictures, overlay.panels):
            draw_text_(picture, title, (0, len(picture) - 1), TITLE_COLOUR)
    return pictures


def overlay_frames(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, width: int | None = None
) -> Iterator[np.ndarray]:
    """Drawn frames one by one, panels side by side, (H', W', 3) uint8."""
    for frames in panel_frames(overlay, image_root, style):
        yield np.hstack(draw_panels(overlay, frames, style, width))


def frames_only(overlay: Overlay, places: Sequence[int]) -> Overlay:
    """The same video, some of its frames.

    Args:
        overlay: the video.
        places: positions of the frames, 0-based.

    Raises:
        ValueError: if there is no such frame.
    """
    length = len(overlay.file_names)
    if not places or min(places) < 0 or max(places) >= length:
        raise ValueError(
            f'video {overlay.name} has the frames 0 to {length - 1}, not {list(places)}'
        )
    panels = [
        (
            title,
            [replace(track, masks=[track.masks[place] for place in places]) for track in tracks],
        )
        for title, tracks in overlay.panels
    ]
    return replace(
        overlay, file_names=[overlay.file_names[place] for place in places], panels=panels
    )
