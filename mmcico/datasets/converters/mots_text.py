"""Text files of MOTS: a line for each object in each frame."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile
from mmcico.formats.masks import read_mask
from mmcico.formats.problems import Place, Problems
from mmcico.utils.files import text_lines, write_whole
from mmcico.utils.image_reading import IMAGE_SUFFIXES

from .class_maps import ClassTable
from .frame_folders import files_by_stem, video_of
from .mask_folders import IGNORED_CLASS, MOTS_CLASSES
from .mask_writer import mots_numbers, mots_values, named_videos


@dataclass
class MotsText:
    """Text files of MOTS, and how to read them.

    Attributes:
        images (Path): Folder with a folder of frames for each video.
        texts (Path): Folder with a ``<video>.txt`` for each video.
        classes (Mapping): Class number -> name.
        problems (Problems): Counts what is left out.
    """

    images: Path
    texts: Path
    classes: Mapping[int, str] = field(default_factory=lambda: MOTS_CLASSES)
    problems: Problems = field(default_factory=lambda: Problems('mots'))


def text_videos(source: MotsText, table: ClassTable) -> Iterator[AnnotatedVideo]:
    """Yield the videos of text files of MOTS, one at a time, with ids from 1.

    Raises:
        ValueError: If a file cannot be used; the message names file and line.
    """
    texts = files_by_stem(source.texts, ('.txt',)) if source.texts.is_dir() else {}
    if not texts:
        raise ValueError(f'{source.texts} is no folder with a text file for each video')
    table.number(source.classes[key] for key in sorted(source.classes))
    for number, (name, path) in enumerate(texts.items(), start=1):
        folder = source.images / name
        if not folder.is_dir():
            raise ValueError(f'{path}: there is no folder {folder} with the frames')
        images = files_by_stem(folder, IMAGE_SUFFIXES)
        times = frame_numbers(list(images), str(folder))
        video = video_of(number, list(images.values()), name, str(path))
        _read_lines(source, table, path, video, {time: t for t, time in enumerate(times)})
        yield video


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


def _read_lines(
    source: MotsText, table: ClassTable, path: Path, video: AnnotatedVideo, frames: dict[int, int]
) -> None:
    """Add the objects in the lines of a file to its video."""
    tracks: dict[int, AnnotatedTrack | None] = {}
    kinds: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    for place, (time, key, kind, *size), text in _lines(path):
        if kind == IGNORED_CLASS:
            source.problems.leave_out('regions to ignore (class 10)')
            continue
        if kind not in source.classes:
            raise ValueError(f'{place}: class {kind} is none of {dict(source.classes)}')
        if time not in frames:
            raise ValueError(f'{place}: the video has no frame {time}')
        if kinds.setdefault(key, kind) != kind:
            raise ValueError(
                f'{place}: object {key} is of class {kind}, before it was of class {kinds[key]}; '
                'give each object an id of its own'
            )
        if (time, key) in seen:
            raise ValueError(
                f'{place}: object {key} is in frame {time} twice; give each object an id of its own'
            )
        seen.add((time, key))
        if key not in tracks:
            category = table.id_of(source.classes[kind], str(place))
            empty: list[None] = [None] * video.length
            tracks[key] = None
            if category is None:
                table.left_out[source.classes[kind]] += 1
            else:
                tracks[key] = AnnotatedTrack(0, category, [*empty], [*empty])
        track = tracks[key]
        mask = dict(size=size, counts=text)
        counts = read_mask(mask, video.size, place, source.problems)
        if track is not None:
            track.counts[frames[time]] = counts
    kept = (tracks[key] for key in sorted(tracks))
    video.tracks += [track for track in kept if track is not None]


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
