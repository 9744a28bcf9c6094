"""Videos annotated with labelme: a JSON for each frame, ``group_id`` is the object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from pycocotools import mask as mask_api

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo
from mmcico.formats.categories import normalised
from mmcico.formats.fields import Id, id_key
from mmcico.formats.problems import Place, Problems
from mmcico.formats.read import load_json
from mmcico.formats.rle import Size
from mmcico.utils.image_reading import IMAGE_SUFFIXES

from .class_maps import ClassTable
from .frame_folders import files_by_stem, labelled, video_folders, video_of
from .labelme_shapes import POINTS, shape_counts, shape_type


@dataclass
class LabelmeFolders:
    """Folders with files of labelme, and how to read them.

    Attributes:
        root (Path): A folder for each video, with a JSON for each frame and the frames.
        videos (Sequence[str], optional): Names of videos; all if left out.
        ungrouped (bool): A shape without ``group_id`` is the only object of its label in the
            video; such shapes are refused otherwise.
        ids_per_class (bool): Group ids count for each label on its own.
        keep_unlabelled (bool): Keep frames without a JSON as frames that show no object; they
            are left out otherwise.
        problems (Problems): Counts what is left out.
    """

    root: Path
    videos: Sequence[str] | None = None
    ungrouped: bool = False
    ids_per_class: bool = False
    keep_unlabelled: bool = False
    problems: Problems = field(default_factory=lambda: Problems('labelme'))


@dataclass
class _Object:
    """An object of a video that grows shape by shape."""

    label: str
    counts: list[bytes | None]
    category: Id | None
    ungrouped_in: set[int] = field(default_factory=set)


def labelme_videos(source: LabelmeFolders, table: ClassTable) -> Iterator[AnnotatedVideo]:
    """Yield videos that were annotated with labelme, one at a time, with ids from 1.

    The files are read twice: first for all labels, which are numbered in alphabetical order.

    Raises:
        ValueError: If a file cannot be used; the message names file, shape and field.
    """
    folders = video_folders(source.root, source.videos, 'labelme')
    if table.target is None:
        table.number({label for folder in folders.values() for label in _labels(folder)})
    for number, name in enumerate(folders, start=1):
        yield _Video(source, table, name).read(number)


def _labels(folder: Path) -> Iterator[str]:
    """Yield the labels of the shapes that have an area."""
    for path in files_by_stem(folder, ('.json',)).values():
        for _, shape, label in _shapes(load_json(path), str(path)):
            if shape_type(shape) in POINTS:
                yield label


def _shapes(record: Any, where: str) -> Iterator[tuple[Place, dict, str]]:
    """Yield place, entry and label of each shape of a file."""
    shapes = record.get('shapes') if isinstance(record, dict) else None
    if not isinstance(shapes, list):
        raise ValueError(f"{where} has no list 'shapes'; is it a file of labelme?")
    for number, shape in enumerate(shapes):
        place = Place(f'{where}: shape {number}')
        if not isinstance(shape, dict) or not shape.get('label'):
            raise ValueError(f"{place} has no field 'label'")
        yield place, shape, str(shape['label'])


class _Video:
    """Reader of one folder."""

    def __init__(self, source: LabelmeFolders, table: ClassTable, name: str) -> None:
        self.source, self.table, self.name = source, table, name
        self.folder = source.root / name
        self.objects: dict[str, _Object] = {}

    def read(self, number: int) -> AnnotatedVideo:
        """Read all frames."""
        records = files_by_stem(self.folder, ('.json',))
        images = self._frames(records)
        video = video_of(number, list(images.values()), self.name, str(self.folder))
        for frame, stem in enumerate(images):
            if stem in records:
                self._read_frame(records[stem], frame, len(images), video.size)
        for each in self.objects.values():
            if each.category is None:
                self.table.left_out[each.label] += 1
            else:
                boxes: list[None] = [None] * len(images)
                video.tracks.append(AnnotatedTrack(0, each.category, each.counts, [*boxes]))
        return video

    def _frames(self, records: dict[str, Path]) -> dict[str, Path]:
        """Return the frames of the video by the stem of their JSON."""
        if not records:
            raise ValueError(f'labelme: {self.folder} has no JSON file; each frame needs one')
        images = files_by_stem(self.folder, IMAGE_SUFFIXES)
        for stem, path in records.items():
            if stem not in images:
                raise ValueError(self._no_image(path))
        if self.source.keep_unlabelled:
            return images
        return {s: images[s] for s in labelled(images, records, self.source.problems)}

    def _no_image(self, path: Path) -> str:
        record = load_json(path)
        name = record.get('imagePath') if isinstance(record, dict) else None
        # The path may come from Windows, or from another computer.
        stated = self.folder / PureWindowsPath(str(name)).name
        advice = 'give image and JSON the same name, in one folder'
        if stated.is_file():
            advice = f'give {stated.name} and the JSON the same name'
        return (
            f"{path}: there is no image {path.stem}.* beside it (its field 'imagePath' is "
            f'{name!r}); {advice}'
        )

    def _read_frame(self, path: Path, frame: int, length: int, size: Size) -> None:
        """Add the shapes of a frame to their objects."""
        record = load_json(path)
        places = list(_shapes(record, str(path)))
        stated = (record.get('imageHeight'), record.get('imageWidth'))
        if None not in stated and stated != size:
            raise ValueError(
                f"{path}: fields 'imageHeight' and 'imageWidth' are {stated}, its image is {size}"
            )
        for place, shape, label in places:
            kind = shape_type(shape)
            if kind not in POINTS:
                self.source.problems.leave_out(f'shapes of type {kind!r}, which have no area')
                continue
            category = self.table.id_of(label, str(place))
            key = self._key(shape, label, category is None, place)
            new = _Object(label, [None] * length, category)
            found = self.objects.setdefault(key, new)
            self._check_object(found, shape, label, frame, place)
            if category is None:
                continue
            counts = shape_counts(shape, size, place, self.source.problems)
            parts = [each for each in (found.counts[frame], counts) if each is not None]
            if parts:
                rles = [dict(size=[*size], counts=each) for each in parts]
                found.counts[frame] = mask_api.merge(rles)['counts']

    def _key(self, shape: dict, label: str, is_left_out: bool, place: Place) -> str:
        """Return what tells the objects of the video apart."""
        group = shape.get('group_id')
        if group is not None and group != '':
            key = id_key(group)
            return f'{normalised(label)} {key}' if self.source.ids_per_class or is_left_out else key
        if not self.source.ungrouped and not is_left_out:
            raise ValueError(
                f"{place} ({label!r}): field 'group_id' is empty; give the shapes of an object "
                'one id in all frames, or --ungrouped if a video has at most one object of each '
                'such label'
            )
        return f'the {normalised(label)}'

    def _check_object(
        self, found: _Object, shape: dict, label: str, frame: int, place: Place
    ) -> None:
        """Refuse shapes of two objects under one key."""
        group = shape.get('group_id')
        if normalised(found.label) != normalised(label):
            raise ValueError(
                f"{place}: field 'label' of group_id {group} is {label!r}, before it was "
                f'{found.label!r}; correct it, or give --ids-per-class if group ids count for '
                'each label on its own'
            )
        if group is not None and group != '':
            return
        if frame in found.ungrouped_in and found.category is not None:
            raise ValueError(
                f'{place}: the frame has two shapes {label!r} without group_id, which '
                '--ungrouped would make one object; give them a group_id: the same if they are '
                'parts of one object'
            )
        found.ungrouped_in.add(frame)
