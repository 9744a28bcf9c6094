"""Videos annotated with labelme: a JSON for each frame, ``group_id`` is the object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from pycocotools import mask as mask_api

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.categories import normalised
from mmcico.formats.fields import Id, id_key
from mmcico.formats.problems import Place, Problems
from mmcico.formats.read import load_json
from mmcico.utils.image_reading import IMAGE_SUFFIXES

from .class_maps import ClassTable
from .frame_folders import files_by_stem, labelled, video_folders, video_of
from .labelme_shapes import POINTS, shape_counts, shape_type


@dataclass
class _Object:
    """An object of a video that grows shape by shape."""

    label: str
    category: Id | None
    counts: list[bytes | None]
    ungrouped_in: set[int] = field(default_factory=set)


@dataclass
class LabelmeFolders:
    """Videos that were annotated with labelme, with ids from 1, to be iterated over once.

    The files are read twice: first for all labels, which are numbered in alphabetical order.

    Attributes:
        root (Path): A folder for each video, with a JSON for each frame and the frames.
        table (ClassTable): Gets the classes.
        videos (Sequence[str], optional): Names of videos; all if left out.
        ungrouped (bool): A shape without ``group_id`` is the only object of its label in the
            video; such shapes are refused otherwise.
        ids_per_class (bool): Group ids count for each label on its own.
        keep_unlabelled (bool): Keep frames without a JSON as frames that show no object; they
            are left out otherwise.
        problems (Problems): Counts what is left out.
    """

    root: Path
    table: ClassTable
    videos: Sequence[str] | None = None
    ungrouped: bool = False
    ids_per_class: bool = False
    keep_unlabelled: bool = False
    problems: Problems = field(default_factory=lambda: Problems('labelme'))

    def __iter__(self) -> Iterator[AnnotatedVideo]:
        """Read the videos.

        Raises:
            ValueError: If a file cannot be used; the message names file, shape and field.
        """
        folders = video_folders(self.root, self.videos, 'labelme')
        if self.table.target is None:
            self.table.number(
                label
                for folder in folders.values()
                for path in files_by_stem(folder, ('.json',)).values()
                for _, shape, label in _shapes(load_json(path), path)
                if shape_type(shape) in POINTS
            )
        for number, (name, folder) in enumerate(folders.items(), start=1):
            records = files_by_stem(folder, ('.json',))
            images = self._frames(folder, records)
            video = video_of(number, images, name, str(folder))
            objects: dict[str, _Object] = {}
            for frame, stem in enumerate(images):
                if stem in records:
                    self._read_frame(records[stem], frame, video, objects)
            for each in objects.values():
                self.table.add_object(video, each.label, each.category, each.counts)
            yield video

    def _frames(self, folder: Path, records: dict[str, Path]) -> dict[str, Path]:
        """Return the frames of a video by the stem of their JSON."""
        if not records:
            raise ValueError(f'labelme: {folder} has no JSON file; each frame needs one')
        images = files_by_stem(folder, IMAGE_SUFFIXES)
        for stem, path in records.items():
            if stem not in images:
                raise ValueError(_no_image(path))
        return labelled(images, records, self.keep_unlabelled, self.problems)

    def _read_frame(
        self, path: Path, frame: int, video: AnnotatedVideo, objects: dict[str, _Object]
    ) -> None:
        """Add the shapes of a frame to their objects."""
        record = load_json(path)
        shapes = list(_shapes(record, path))
        stated = (record.get('imageHeight'), record.get('imageWidth'))
        if None not in stated and stated != video.size:
            raise ValueError(
                f"{path}: fields 'imageHeight' and 'imageWidth' are {stated}, its image is "
                f'{video.size}'
            )
        for place, shape, label in shapes:
            kind = shape_type(shape)
            if kind not in POINTS:
                self.problems.leave_out(f'shapes of type {kind!r}, which have no area')
                continue
            category = self.table.id_of(label, str(place))
            new = _Object(label, category, [None] * video.length)
            found = self._known(new, shape, frame, place, objects)
            if category is None:
                continue
            counts = shape_counts(shape, video.size, place, self.problems)
            parts = [each for each in (found.counts[frame], counts) if each is not None]
            if parts:
                rles = [dict(size=[*video.size], counts=each) for each in parts]
                found.counts[frame] = mask_api.merge(rles)['counts']

    def _known(
        self, new: _Object, shape: dict, frame: int, place: Place, objects: dict[str, _Object]
    ) -> _Object:
        """Return the object of a shape among those of the video: an earlier one or the new one."""
        group, label = shape.get('group_id'), normalised(new.label)
        is_grouped, is_left_out = group not in (None, ''), new.category is None
        if not (is_grouped or is_left_out or self.ungrouped):
            raise ValueError(
                f"{place} ({new.label!r}): field 'group_id' is empty; give the shapes of an object "
                'one id in all frames, or --ungrouped if a video has at most one object of each '
                'such label'
            )
        key = id_key(group) if is_grouped else f'the {label}'
        if is_grouped and (self.ids_per_class or is_left_out):
            key = f'{label} {key}'
        found = objects.setdefault(key, new)
        if normalised(found.label) != label:
            raise ValueError(
                f"{place}: field 'label' of group_id {group} is {new.label!r}, before it was "
                f'{found.label!r}; correct it, or give --ids-per-class if group ids count for '
                'each label on its own'
            )
        if not is_grouped:
            if frame in found.ungrouped_in and not is_left_out:
                raise ValueError(
                    f'{place}: the frame has two shapes {new.label!r} without group_id, which '
                    '--ungrouped would make one object; give them a group_id: the same if they are '
                    'parts of one object'
                )
            found.ungrouped_in.add(frame)
        return found


def _shapes(record: Any, path: Path) -> Iterator[tuple[Place, dict, str]]:
    """Yield place, entry and label of each shape of a file."""
    shapes = record.get('shapes') if isinstance(record, dict) else None
    if not isinstance(shapes, list):
        raise ValueError(f"{path} has no list 'shapes'; is it a file of labelme?")
    for number, shape in enumerate(shapes):
        place = Place(f'{path}: shape {number}')
        if not isinstance(shape, dict) or not shape.get('label'):
            raise ValueError(f"{place} has no field 'label'")
        yield place, shape, str(shape['label'])


def _no_image(path: Path) -> str:
    """Return the message for a file whose image is missing."""
    record = load_json(path)
    name = record.get('imagePath') if isinstance(record, dict) else None
    # The path may come from Windows, or from another computer.
    stated = path.parent / PureWindowsPath(str(name)).name
    advice = 'give image and JSON the same name, in one folder'
    if stated.is_file():
        advice = f'give {stated.name} and the JSON the same name'
    return (
        f"{path}: there is no image {path.stem}.* beside it (its field 'imagePath' is "
        f'{name!r}); {advice}'
    )
