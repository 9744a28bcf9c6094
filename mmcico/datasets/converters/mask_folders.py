"""Mask pictures in the manner of DAVIS: the pixel's value is the object."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from pycocotools import mask as mask_api

from mmcico.utils.image_size import IMAGE_SUFFIXES

from ..video_annotations import AnnotatedTrack, AnnotatedVideo
from .class_maps import ClassTable
from .frame_folders import files_by_stem, image_size, one_size, video_folders

INDEX_MODES = ('P', 'L', 'I', 'I;16', '1')
VOID = 255


@dataclass
class MaskFolders:
    """Where frames and masks are, and what they mean.

    Attributes:
        images (Path): Folder with a folder of frames for each video.
        masks (Path): The same with a PNG for each frame.
        videos (Sequence[str], optional): Names of videos; all if left out.
        class_name (str): Class of objects that ``object_classes`` does not
            name.
        object_classes (dict): Video -> class, or -> ``{object: class}``.
        binary (bool): All values but 0 are one object (DAVIS 2016).
        keep_unlabelled (bool): Frames without a mask file stay, as frames
            that show no object; they are left out otherwise.
        step (int): Every how many frames to take.
    """

    images: Path
    masks: Path
    videos: Sequence[str] | None = None
    class_name: str = 'object'
    object_classes: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False
    keep_unlabelled: bool = False
    step: int = 1
    left_out_frames: int = 0


def read_index_mask(path: Path) -> np.ndarray:
    """(H, W) values of a mask picture, palette indices as they are stored.

    Raises:
        ValueError: If it is broken or holds colours.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in INDEX_MODES:
                raise ValueError(
                    f'mask {path} holds colours (mode {image.mode}), not '
                    'indices of objects; save it with a palette or in grey'
                )
            return np.array(image).astype(np.int64)
    except (OSError, UnidentifiedImageError) as error:
        raise ValueError(f'mask {path} cannot be read: {error}') from error


def object_masks(values: np.ndarray, binary: bool) -> dict[int, bytes]:
    """Object -> compressed RLE counts, from the (H, W) values of a frame.

    0 is background; 255 is not annotated, unless ``binary``.
    """
    if binary:
        values = (values > 0).astype(np.int64)
    found = {}
    for key in np.unique(values).tolist():
        if key != 0 and (binary or key != VOID):
            plane = np.asfortranarray(values == key, np.uint8)
            found[key] = mask_api.encode(plane)['counts']
    return found


def mask_videos(source: MaskFolders, table: ClassTable) -> Iterator[AnnotatedVideo]:
    """Videos of folders of frames and of masks.

    Args:
        source (MaskFolders): What to read; ``left_out_frames`` is counted.
        table (ClassTable): Gives ids to classes.

    Yields:
        AnnotatedVideo: With ids from 1, one at a time.

    Raises:
        ValueError: Naming the file that cannot be used.
    """
    if source.step < 1:
        raise ValueError(f'step is {source.step}, choose 1 or more')
    folders = video_folders(source.masks, source.videos, 'masks')
    for number, folder in enumerate(folders, start=1):
        yield _read_video(source, folder, number, table)


def _read_video(
    source: MaskFolders, folder: Path, number: int, table: ClassTable
) -> AnnotatedVideo:
    """One video."""
    images = _frames(source, folder)
    masks = files_by_stem(folder, ('.png',))
    per_frame: list[dict[int, bytes]] = []
    sizes = {}
    voids = 0
    for stem, path in images.items():
        sizes[path.name] = image_size(path)
        if stem not in masks:
            per_frame.append({})
            continue
        values = read_index_mask(masks[stem])
        if values.shape != sizes[path.name]:
            raise ValueError(
                f'mask {masks[stem]} is {values.shape} (height, width), its '
                f'frame {path} is {sizes[path.name]}'
            )
        per_frame.append(object_masks(values, source.binary))
        voids += int((values == VOID).any())
    if voids and not any(per_frame):
        raise ValueError(
            f'masks {folder} have no value but 0 and 255, which '
            'is "not annotated"; give --binary if 255 is the '
            'object, as in DAVIS 2016'
        )
    height, width = one_size(sizes, f'video {folder.name}')
    return AnnotatedVideo(
        id=number,
        height=height,
        width=width,
        file_names=[f'{folder.name}/{path.name}' for path in images.values()],
        source=str(source.masks),
        tracks=_tracks(source, folder.name, per_frame, table),
    )


def _frames(source: MaskFolders, folder: Path) -> dict[str, Path]:
    """Frames in use of the video that a folder of masks belongs to."""
    image_folder = source.images / folder.name
    if not image_folder.is_dir():
        raise ValueError(f'masks {folder}: there is no folder {image_folder} with the frames')
    images = files_by_stem(image_folder, IMAGE_SUFFIXES)
    masks = files_by_stem(folder, ('.png',))
    alone = [masks[stem].name for stem in masks if stem not in images]
    if alone:
        raise ValueError(
            f'masks {folder}: {alone[:5]} ({len(alone)} in all) '
            f'have no frame of the same name in {image_folder}'
        )
    stems = list(images)[:: source.step]
    kept = [s for s in stems if source.keep_unlabelled or s in masks]
    source.left_out_frames += len(stems) - len(kept)
    if not kept:
        raise ValueError(
            f'video {folder.name}: none of its {len(stems)} frames has a mask in {folder}'
        )
    return {stem: images[stem] for stem in kept}


def _tracks(
    source: MaskFolders, video: str, per_frame: list[dict[int, bytes]], table: ClassTable
) -> list[AnnotatedTrack]:
    """Objects of a video in the order of their values."""
    tracks = []
    for key in sorted({key for frame in per_frame for key in frame}):
        name = _class_name(source, video, key)
        where = f'{source.masks}: video {video}, object {key}'
        category = table.id_of(name, where)
        if category is None:
            table.count_left_out(name)
            continue
        counts = [frame.get(key) for frame in per_frame]
        tracks.append(AnnotatedTrack(0, category, counts, [None] * len(counts)))
    return tracks


def _class_name(source: MaskFolders, video: str, key: int) -> str:
    """Class of an object.

    Raises:
        ValueError: If the entry of a video is neither a name nor names.
    """
    entry = source.object_classes.get(video, source.class_name)
    if isinstance(entry, dict):
        entry = entry.get(str(key), source.class_name)
    if not isinstance(entry, str):
        raise ValueError(f'object classes: video {video}, object {key}: {entry!r} is no class name')
    return entry
