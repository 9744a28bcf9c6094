"""Annotated videos, whatever file they come from."""
from dataclasses import dataclass, field
from typing import Any, List, Optional, Tuple, Union

Id = Union[int, str]
Segmentation = Union[dict, list, None]


@dataclass
class AnnotatedTrack:
    """One object of a video.

    Attributes:
        id (int | str): Its id in the file.
        category_id (int | str): Its class, the data set's own id.
        segmentations (list): One RLE, list of polygons or None a frame.
        bboxes (list): One ``[x, y, w, h]`` in pixels or None a frame.
        iscrowd (bool): A region of uncounted objects.
    """
    id: Id
    category_id: Id
    segmentations: List[Segmentation]
    bboxes: List[Optional[List[float]]]
    iscrowd: bool = False

    def seen(self, frame: int) -> bool:
        """Whether there is anything annotated in a frame."""
        return bool(self.segmentations[frame])


@dataclass
class AnnotatedVideo:
    """One video.

    Attributes:
        id (int | str): Its id in the file.
        height (int): Pixels.
        width (int): Pixels.
        file_names (list[str]): Frames in order, below the image folder.
        source (str): Name of the annotation file, for messages.
        tracks (list[AnnotatedTrack]): Its objects.
    """
    id: Id
    height: int
    width: int
    file_names: List[str]
    source: str
    tracks: List[AnnotatedTrack] = field(default_factory=list)


@dataclass
class AnnotationFile:
    """A whole file.

    Attributes:
        name (str): Of the file, for messages.
        videos (list[AnnotatedVideo]): In the order of the file.
        categories (list[tuple[Id, str]]): Ids and names in the order of the
            file.
        annotated (bool): False for official valid and test files, which
            hold no objects.
    """
    name: str
    videos: List[AnnotatedVideo]
    categories: List[Tuple[Id, str]]
    annotated: bool


def required(record: dict, key: str, where: str) -> Any:
    """A field that must be there.

    Raises:
        ValueError: If it is missing, naming ``where`` and the field.
    """
    if key not in record:
        raise ValueError(f"{where} has no field '{key}'; it has "
                         f'{sorted(record)}')
    return record[key]


def read_categories(data: dict, name: str) -> List[Tuple[Id, str]]:
    """(id, name) of all classes of a file.

    Raises:
        ValueError: If there are none, or an id occurs twice.
    """
    found = [(required(c, 'id', f'{name}: a category'),
              str(required(c, 'name', f'{name}: a category')))
             for c in data.get('categories') or []]
    if not found:
        raise ValueError(f"{name} has no 'categories'; is it an annotation "
                         'file, not a meta.json?')
    ids = [key for key, _ in found]
    for key in ids:
        if ids.count(key) > 1:
            raise ValueError(f'{name}: category id {key!r} occurs twice')
    return found
