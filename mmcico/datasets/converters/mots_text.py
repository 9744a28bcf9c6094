"""Text files of MOTS: a line for each object in each frame."""

from collections.abc import Container, Iterator, Mapping
from pathlib import Path, PurePosixPath

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id
from mmcico.formats.masks import read_mask
from mmcico.formats.problems import Place, Problems
from mmcico.formats.rle import Size
from mmcico.utils.files import text_lines, write_whole

from .class_maps import ClassTable
from .frame_folders import files_of_videos, frames_in, video_of
from .mask_folders import IGNORED_CLASS, MOTS_CLASSES
from .mask_writer import mots_numbers, mots_values, named_videos


def text_videos(
    images: Path,
    texts: Path,
    table: ClassTable,
    problems: Problems,
    classes: Mapping[int, str] = MOTS_CLASSES,
) -> Iterator[AnnotatedVideo]:
    """Yield the videos of text files of MOTS, one at a time, with ids from 1.

    Args:
        images (Path): Folder with a folder of frames for each video.
        texts (Path): Folder with a ``<video>.txt`` for each video, also in folders in it.
        table (ClassTable): Gets the classes.
        problems (Problems): Counts what is left out.
        classes (Mapping): Class number -> name.

    Raises:
        ValueError: If a file cannot be used; the message names file and line.
    """
    files = files_of_videos(texts, '.txt', images, problems) if texts.is_dir() else {}
    if not files:
        raise ValueError(f'{texts} is no folder with a text file for each video')
    table.number(classes.values())
    for number, (name, path) in enumerate(files.items(), start=1):
        frames = frames_in(images / name, str(path))
        times = dict.fromkeys(frame_numbers(list(frames), str(images / name)))
        video = video_of(number, frames, name, str(path))
        objects = _read_objects(path, times, video.size, classes, table, problems)
        for _, (kind, category, masks) in sorted(objects.items()):
            table.add_object(video, classes[kind], category, [masks.get(time) for time in times])
        yield video


def _read_objects(
    path: Path,
    times: Container[int],
    frame_size: Size,
    classes: Mapping[int, str],
    table: ClassTable,
    problems: Problems,
) -> dict[int, tuple[int, Id | None, dict[int, bytes | None]]]:
    """Return number and id of the class and the masks by frame of each object of a file."""
    objects: dict[int, tuple[int, Id | None, dict[int, bytes | None]]] = {}
    for place, (time, key, kind, *size), text in _lines(path):
        if kind == IGNORED_CLASS:
            problems.leave_out('regions to ignore (class 10)')
            continue
        if kind not in classes:
            raise ValueError(f'{place}: class {kind} is none of {dict(classes)}')
        if time not in times:
            raise ValueError(f'{place}: the video has no frame {time}')
        if key not in objects:
            objects[key] = kind, table.id_of(classes[kind], str(place)), {}
        known, _, masks = objects[key]
        if known != kind:
            raise ValueError(
                f'{place}: object {key} is of class {kind}, before it was of class {known}; '
                'give each object an id of its own'
            )
        if time in masks:
            raise ValueError(
                f'{place}: object {key} is in frame {time} twice; give each object an id of its own'
            )
        masks[time] = read_mask(dict(size=size, counts=text), frame_size, place, problems)
    return objects


def frame_numbers(stems: list[str], where: str) -> list[int]:
    """Return the numbers that frames are named by, without their suffixes.

    Raises:
        ValueError: If they are not named by distinct numbers; ``where`` begins the message.
    """
    numbers = [int(stem) for stem in stems if stem.isdecimal()]
    if len({*numbers}) < len(stems):
        raise ValueError(f'{where}: frames must be named by distinct numbers, such as 000001.jpg')
    return numbers


def _lines(path: Path) -> Iterator[tuple[Place, list[int], str]]:
    """Yield the place, the five numbers and the counts of each line of a file."""
    for number, line in enumerate(text_lines(path), start=1):
        place = Place(f'{path}: line {number}')
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 6 or not all(part.isdecimal() and len(part) < 10 for part in parts[:5]):
            raise ValueError(f'{place} is not "frame id class height width counts"')
        yield place, [int(part) for part in parts[:5]], parts[5]


def write_texts(file: AnnotationFile, out: Path, problems: Problems) -> None:
    """Write ``<video>.txt`` for each video, which TrackEval reads, too.

    Raises:
        ValueError: If a frame has no number for a name.
    """
    numbers = mots_numbers(file)
    for name, video in named_videos(file, problems):
        stems = [PurePosixPath(each).stem for each in video.file_names]
        times = frame_numbers(stems, f'{file.name}: video {video.id!r}')
        values = mots_values(video, numbers)
        lines = [
            f'{time} {value} {numbers[track.category_id]} {video.height} {video.width} '
            f'{counts.decode("ascii")}'
            for frame, time in enumerate(times)
            for value, track in zip(values, video.tracks)
            for counts in [track.counts[frame]]
            if counts is not None
        ]
        write_whole(out / f'{name}.txt', '\n'.join([*lines, '']))
