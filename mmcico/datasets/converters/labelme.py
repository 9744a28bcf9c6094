"""Videos annotated with labelme: a JSON a frame, ``group_id`` the object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from pycocotools import mask as mask_api

from mmcico.utils.image_size import IMAGE_SUFFIXES
from mmcico.utils.json_file import load_json

from ..fields import id_key, required_list
from ..video_annotations import AnnotatedTrack, AnnotatedVideo
from .class_maps import ClassTable
from .frame_folders import files_by_stem, image_size, one_size, video_folders
from .labelme_shapes import shape_mask

#: object -> class and mask of one frame
FrameObjects = dict[str, tuple[str, np.ndarray]]


@dataclass
class LabelmeFolders:
    """Where labelme's files are, and what they mean.

    Attributes:
        root (Path): A folder for each video, with a JSON for each frame;
            frames beside them.
        videos (Sequence[str], optional): Names of videos; all if left out.
        ungrouped (bool): A shape without ``group_id`` is the only object of
            its label in the video; it is refused otherwise.
        ids_per_class (bool): Each label has its own run of group ids.
        keep_unlabelled (bool): Frames without a JSON stay, as frames that
            show no object; they are left out otherwise.
    """

    root: Path
    videos: Sequence[str] | None = None
    ungrouped: bool = False
    ids_per_class: bool = False
    keep_unlabelled: bool = False
    left_out_frames: int = 0


def labelme_videos(source: LabelmeFolders, table: ClassTable) -> Iterator[AnnotatedVideo]:
    """Videos of folders that were annotated with labelme.

    Args:
        source (LabelmeFolders): What to read; ``left_out_frames`` is
            counted.
        table (ClassTable): Gives ids to labels.

    Yields:
        AnnotatedVideo: With ids from 1, one at a time.

    Raises:
        ValueError: Naming file, shape and field.
    """
    folders = video_folders(source.root, source.videos, 'labelme')
    for number, folder in enumerate(folders, start=1):
        yield _read_video(source, folder, number, table)


def _read_video(
    source: LabelmeFolders, folder: Path, number: int, table: ClassTable
) -> AnnotatedVideo:
    """One video; masks are encoded frame by frame."""
    records = files_by_stem(folder, ('.json',))
    images = _frames(source, folder, records)
    sizes = {path.name: image_size(path) for path in images.values()}
    height, width = one_size(sizes, f'video {folder.name}')
    classes: dict[str, str] = {}
    counts: dict[str, list[bytes | None]] = {}
    for t, stem in enumerate(images):
        if stem not in records:
            continue
        path = records[stem]
        objects = frame_objects(load_json(path), str(path), (height, width), source)
        for key, (label, mask) in objects.items():
            if classes.setdefault(key, label) != label:
                raise ValueError(
                    f"{path}: field 'label' of group_id {key} is {label!r}, "
                    f'before it was {classes[key]!r}; mend it, or give '
                    '--ids-per-class if each label counts its own ids'
                )
            seen = counts.setdefault(key, [None] * len(images))
            seen[t] = (
                mask_api.encode(np.asfortranarray(mask, np.uint8))['counts'] if mask.any() else None
            )
    tracks = []
    for key, label in classes.items():
        category = table.id_of(label, f'{folder}: object {key}')
        if category is None:
            table.count_left_out(label)
            continue
        tracks.append(AnnotatedTrack(0, category, counts[key], [None] * len(images)))
    names = [f'{folder.name}/{path.name}' for path in images.values()]
    return AnnotatedVideo(number, height, width, names, str(folder), tracks)


def _frames(source: LabelmeFolders, folder: Path, records: dict[str, Path]) -> dict[str, Path]:
    """Frames of a video by the stem of their JSON."""
    if not records:
        raise ValueError(f'labelme: {folder} has no JSON file; each frame needs one')
    images = files_by_stem(folder, IMAGE_SUFFIXES)
    for stem, path in records.items():
        if stem not in images:
            record = load_json(path)
            name = isinstance(record, dict) and record.get('imagePath')
            # the path may come from Windows, or from another computer
            stated = folder / PureWindowsPath(str(name)).name
            raise ValueError(
                f'{path}: there is no image {stem}.* beside it (its field '
                f"'imagePath' is {name!r}); name "
                + (
                    f'{stated.name} and the JSON alike'
                    if stated.is_file()
                    else 'image and JSON alike, in one folder'
                )
            )
    kept = {
        stem: path for stem, path in images.items() if source.keep_unlabelled or stem in records
    }
    source.left_out_frames += len(images) - len(kept)
    return kept


def frame_objects(
    record: Any, where: str, size: tuple[int, int], source: LabelmeFolders
) -> FrameObjects:
    """Objects of one frame.

    Args:
        record (dict): The parsed JSON.
        where (str): Its path, for messages.
        size (tuple[int, int]): (height, width) of the image.
        source (LabelmeFolders): How shapes are grouped.

    Returns:
        dict: Object -> (label, (H, W) bool mask); shapes of one object are
        joined.

    Raises:
        ValueError: Naming file, shape and field.
    """
    stated = (
        (record.get('imageHeight'), record.get('imageWidth'))
        if (isinstance(record, dict))
        else (None, None)
    )
    if None not in stated and stated != size:
        raise ValueError(
            f"{where}: fields 'imageHeight' and 'imageWidth' are {stated}, its image is {size}"
        )
    objects: FrameObjects = {}
    for number, shape in enumerate(required_list(record, 'shapes', where)):
        place = f'{where}: shape {number}'
        if not isinstance(shape, dict) or not shape.get('label'):
            raise ValueError(f"{place} has no field 'label'")
        label = str(shape['label'])
        key = _object_key(shape, label, place, source)
        mask = shape_mask(shape, size, place)
        if key in objects:
            if objects[key][0] != label:
                raise ValueError(
                    f"{place}: field 'label' of group_id "
                    f'{shape.get("group_id")} is {label!r}, in the same frame '
                    f'also {objects[key][0]!r}'
                )
            mask = mask | objects[key][1]
        objects[key] = (label, mask)
    return objects


def _object_key(shape: dict, label: str, place: str, source: LabelmeFolders) -> str:
    """What tells objects of a video apart."""
    group = shape.get('group_id')
    if group is not None and group != '':
        key = id_key(group)
        return f'{label} {key}' if source.ids_per_class else key
    if not source.ungrouped:
        raise ValueError(
            f"{place} ({label!r}): field 'group_id' is empty; give the shapes "
            'of an object one id in all frames, or --ungrouped if a video has '
            'at most one object of each such label'
        )
    return f'the {label}'
