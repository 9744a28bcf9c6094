"""Mask pictures of annotated videos, as in DAVIS and MOTS."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id
from mmcico.formats.problems import Problems
from mmcico.formats.rle import decode_masks
from mmcico.formats.write import write_json
from mmcico.utils.files import is_below, whole_file

from .mask_folders import IGNORED_CLASS, MOTS_BASE, VOID

#: file of :func:`write_masks` with the classes of the objects
CLASSES_FILE = 'object_classes.json'
LARGEST_VALUE = 65535


def named_videos(
    file: AnnotationFile, problems: Problems | None = None
) -> Iterator[tuple[str, AnnotatedVideo]]:
    """Yield each video with the name of the folder of its frames, and warn of crowds.

    Raises:
        ValueError: If two videos share a folder, or one has several.
    """
    if problems and file.num_crowds:
        message = f'{file.num_crowds} crowds became objects, since the format cannot mark them'
        problems.warn('crowd', message)
    seen: dict[str, Id] = {}
    for video in file.videos:
        folder = frame_folder(video)
        name = str(video.id) if folder == '.' else folder
        if name in seen or not is_below(name):
            raise ValueError(
                f'{file.name}: video {video.id!r}: the folder {name!r} is '
                + (f'also that of video {seen[name]!r}' if name in seen else 'not below the output')
            )
        seen[name] = video.id
        yield name, video


def frame_folder(video: AnnotatedVideo) -> str:
    """Return the folder of the frames of a video, ``'.'`` for none.

    Raises:
        ValueError: If there are several.
    """
    first, *others = dict.fromkeys(str(PurePosixPath(each).parent) for each in video.file_names)
    if others:
        raise ValueError(
            f'{video.source}: video {video.id!r}: the frames lie in the folders {first!r} and '
            f'{others[0]!r}; the format needs the frames of a video in one folder'
        )
    return first


def frame_stems(video: AnnotatedVideo) -> list[str]:
    """Return the names of the frames of a video without folder and suffix.

    Raises:
        ValueError: If two are the same.
    """
    stems = [PurePosixPath(each).stem for each in video.file_names]
    if len(set(stems)) < len(stems):
        stem = next(each for each in stems if stems.count(each) > 1)
        raise ValueError(
            f'{video.source}: video {video.id!r}: two frames are named {stem!r} but for the '
            'suffix; the format needs frames with distinct names'
        )
    return stems


def davis_palette() -> list[int]:
    """Return the 256 colours of DAVIS and PASCAL VOC, as red, green and blue in turn."""
    return [
        sum((index >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8))
        for index in range(256)
        for channel in range(3)
    ]


def mots_values(video: AnnotatedVideo, numbers: Mapping[Id, int]) -> list[int]:
    """Return 1000 * class + instance for each track of a video, by the numbers of the classes.

    Raises:
        ValueError: If a class has 1000 objects or more.
    """
    count: Counter[Id] = Counter()
    values = []
    for track in video.tracks:
        count[track.category_id] += 1
        if count[track.category_id] >= MOTS_BASE:
            raise ValueError(f'{video.source}: video {video.id!r} has 1000 objects of a class')
        values.append(numbers[track.category_id] * MOTS_BASE + count[track.category_id])
    return values


def mots_numbers(file: AnnotationFile) -> dict[Id, int]:
    """Return the number of each class: its id if all are from 1 to 9, else its position.

    No class has the number that MOTS ignores; those from the tenth on have the next one.
    """
    keys = [key for key, _ in file.categories]
    if all(isinstance(key, int) and 1 <= key <= 9 for key in keys):
        return {key: int(key) for key in keys}
    return {key: n + (n >= IGNORED_CLASS) for n, key in enumerate(keys, start=1)}


def mots_classes(file: AnnotationFile) -> str:
    """Return the numbers and names of the classes as the option that reads them back takes them.

    >>> mots_classes(AnnotationFile('a.json', [], [(7, 'cat'), (12, 'giant panda')]))
    "1=cat '2=giant panda'"
    """
    numbers = mots_numbers(file)
    return shlex.join(f'{numbers[key]}={name}' for key, name in file.categories)


def write_masks(file: AnnotationFile, out: Path, problems: Problems, mots: bool = False) -> None:
    """Write a PNG for each frame; the value of a pixel is the object.

    Pictures of up to 254 objects have a palette, others are grey pictures of 16 bits. The classes
    go to ``object_classes.json``, which the conversion from masks reads. Pixels of objects that
    others cover are lost, and counted. With ``mots``, values are 1000 * class + instance, as in
    MOTS.

    Raises:
        ValueError: If values do not fit into 16 bits, or two frames have one name.
    """
    names = dict(file.categories)
    numbers = mots_numbers(file)
    classes: dict[str, dict[str, str]] = {}
    for name, video in named_videos(file, problems):
        values = mots_values(video, numbers) if mots else range(1, len(video.tracks) + 1)
        if max(values, default=0) > LARGEST_VALUE:
            raise ValueError(f'{file.name}: video {video.id!r}: values above {LARGEST_VALUE}')
        classes[name] = {str(v): names[t.category_id] for v, t in zip(values, video.tracks)}
        for frame, stem in enumerate(frame_stems(video)):
            plane = _plane(video, frame, values, problems)
            image: Any = Image.fromarray(plane)
            if not mots and len(video.tracks) < VOID:
                image = Image.fromarray(plane.astype(np.uint8))
                image.putpalette(davis_palette())
            with whole_file(out / name / f'{stem}.png') as stream:
                image.save(stream, 'png')
    write_json(out / CLASSES_FILE, classes, indent=1)


def _plane(video: AnnotatedVideo, frame: int, values: Any, problems: Problems) -> np.ndarray:
    """Return the values of a frame, (H, W) uint16; later objects cover earlier ones."""
    plane = np.zeros(video.size, np.uint16)
    found = ((value, track.counts[frame]) for value, track in zip(values, video.tracks))
    seen = {value: counts for value, counts in found if counts is not None}
    for value, mask in zip(seen, decode_masks([*seen.values()], *video.size).astype(bool)):
        hidden = int((plane[mask] > 0).sum())
        if hidden:
            problems.leave_out('pixels of objects under other objects', hidden)
        plane[mask] = value
    return plane
