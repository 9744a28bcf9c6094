"""Videos with their tracks, drawn frame by frame from image files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pycocotools import mask as mask_utils

from mmcico.utils.image_reading import read_image

from .draw import DrawnObject, draw_text_
from .style import DrawStyle, Frame, TrackHistory, draw_frame

PathLike = str | Path


@dataclass(frozen=True)
class DrawnTrack:
    """A track of a file.

    Attributes:
        track_id: The same for an object in all files of its video.
        name: Class name.
        score: None for ground truth.
        masks: Compressed counts for each frame; None where the object is absent.
    """

    track_id: int
    name: str
    score: float | None
    masks: Sequence[str | bytes | None]


Panel = tuple[str, Sequence[DrawnTrack]]


@dataclass(frozen=True)
class Overlay:
    """A video and the tracks to draw on it.

    Attributes:
        name: Name for files; unique in a data set.
        file_names: Names of the frames, relative to the image folder.
        size: Height and width.
        panels: Title and tracks of each picture, side by side.
    """

    name: str
    file_names: Sequence[str]
    size: tuple[int, int]
    panels: Sequence[Panel]

    def at(self, places: Sequence[int]) -> 'Overlay':
        """Return the same video with the frames at some positions.

        Raises:
            ValueError: If there is no such frame.
        """
        length = len(self.file_names)
        if not places or min(places) < 0 or max(places) >= length:
            raise ValueError(
                f'video {self.name} has the frames 0 to {length - 1}, not {list(places)}'
            )
        panels = [
            (title, [replace(each, masks=[each.masks[t] for t in places]) for each in tracks])
            for title, tracks in self.panels
        ]
        return replace(self, file_names=[self.file_names[t] for t in places], panels=panels)


def frame_objects(
    tracks: Sequence[DrawnTrack], frame: int, size: tuple[int, int]
) -> list[DrawnObject]:
    """Return the objects of a frame, with decoded masks."""
    return [
        DrawnObject(
            track.track_id,
            mask_utils.decode({'size': list(size), 'counts': track.masks[frame]}).astype(bool),
            track.name,
            track.score,
        )
        for track in tracks
        if track.masks[frame] is not None
    ]


def read_frame(path: Path, size: tuple[int, int], video: str) -> np.ndarray:
    """Return a frame of an annotated video, (H, W, 3) uint8 BGR.

    Raises:
        ValueError: If it is missing, broken or of another size than the file says.
    """
    try:
        image = read_image(path)
    except UnicodeEncodeError:
        raise  # the locale lacks the name, and tools say what helps
    except ValueError as error:
        raise ValueError(
            f'video {video}: frame {error}; file names must be relative to the given image folder'
        ) from error
    if image.shape[:2] != tuple(size):
        raise ValueError(
            f'video {video}: frame {path} is {image.shape[:2]} (height, width), but the '
            f'annotation file says {tuple(size)}'
        )
    return image


def panel_frames(overlay: Overlay, image_root: PathLike, style: DrawStyle) -> Iterator[list[Frame]]:
    """Yield for each frame the image and objects of each panel; nothing is drawn."""
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
    """Draw one item of :func:`panel_frames`, with titles if there are several panels.

    Returns a picture (H', W', 3) for each panel, ``width`` wide at most, all of one size.
    """
    pictures = [draw_frame(image, found, style, width) for image, found in frames]
    if len(pictures) > 1:
        for picture, (title, _) in zip(pictures, overlay.panels):
            draw_text_(picture, title)
    return pictures


def overlay_frames(
    overlay: Overlay, image_root: PathLike, style: DrawStyle, width: int | None = None
) -> Iterator[np.ndarray]:
    """Yield drawn frames one by one, panels side by side, (H', W', 3) uint8 BGR."""
    for frames in panel_frames(overlay, image_root, style):
        yield np.hstack(draw_panels(overlay, frames, style, width))


def titled_frames(
    overlay: Overlay,
    image_root: PathLike,
    style: DrawStyle,
    places: Sequence[int] | None = None,
    width: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield drawn frames that show their position and file name, all by default.

    Raises:
        ValueError: If an image is missing or of another size.
    """
    if places is None:
        places = range(len(overlay.file_names))
    part = overlay.at(places)
    frames = overlay_frames(part, image_root, style, width)
    for place, name, frame in zip(places, part.file_names, frames):
        draw_text_(frame, f'{place}: {Path(name).name}')
        yield frame
