"""Videos and categories of a ground truth file."""

import re
from dataclasses import dataclass, field
from typing import Any

from mmcico.datasets.fields import id_key

from .tracks import Id, Track, Video

# (video, category) -> tracks in the order of the file; both are positions
# in GroundTruth.videos and GroundTruth.categories
Place = tuple[int, int]
Tracks = dict[Place, list[Track]]

#: short videos have every fifth frame and are not longer than this
SHORT_STEP, SHORT_LENGTH = 5, 84


@dataclass
class GroundTruth:
    """A ground truth file.

    Attributes:
        name (str): of the file, for messages.
        videos (list[Video]): in the order of their ids.
        categories (list[tuple[Id, str]]): ids and unique names, in the order
            of the ids.
        tracks (Tracks): annotated objects.
        has_annotations (bool): False for official val and test files.
        without_occlusion (int): number of annotations without OVIS' field.
    """

    name: str
    videos: list[Video]
    categories: list[tuple[Id, str]]
    tracks: Tracks = field(default_factory=dict)
    has_annotations: bool = False
    without_occlusion: int = 0

    def __post_init__(self) -> None:
        self.video_index = {id_key(v.id): i for i, v in enumerate(self.videos)}
        self.category_index = {id_key(each[0]): i for i, each in enumerate(self.categories)}

    def place(self, entry: Any, where: str) -> Place:
        """Positions of a track's video and category.

        Raises:
            ValueError: If the file knows one of them not.
        """
        if not isinstance(entry, dict):
            raise ValueError(f'{where} is {type(entry).__name__} instead of an object')
        places = []
        for key, index in (('video_id', self.video_index), ('category_id', self.category_index)):
            value = entry.get(key)
            if id_key(value) not in index:
                raise ValueError(
                    f'{where}: field {key} is {value!r}, which is none of '
                    f'the {len(index)} in {self.name}; do the files belong '
                    'together?'
                )
            places.append(index[id_key(value)])
        return places[0], places[1]


def read_videos(entries: list[Any], name: str) -> list[Video]:
    """Videos in the order of their ids.

    Args:
        entries (list): Of the field ``videos``.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If an id is missing or there twice, or a size or length
            is no number above 0.
    """
    videos = []
    for entry in _checked_ids(entries, 'videos', name):
        numbers = []
        names = entry.get('file_names') or []
        for key in ('height', 'width', 'length'):
            value = entry.get(key, len(names) if key == 'length' else None)
            if type(value) not in (int, float) or value < 1 or value % 1:
                raise ValueError(
                    f'{name}: video {entry["id"]}: field {key} '
                    f'is {value!r} instead of a number above 0'
                )
            numbers.append(int(value))
        height, width, length = numbers
        videos.append(Video(entry['id'], (height, width), length, looks_long(names, length)))
    return videos


def looks_long(names: list[Any], length: int) -> bool:
    """Whether it is a long video of YouTube-VIS 2022.

    Its files do not mark them.  Those of the short videos have every fifth
    frame, at most 84; long ones are sampled more sparsely, or have more.

    Args:
        names (list): Files of the frames, if known.
        length (int): Number of frames.

    Returns:
        bool: Of a video that is longer than the short ones.
    """
    found = [re.search(r'(\d+)\D*$', str(each)) for each in names[:2]]
    numbers = [int(each.group(1)) for each in found if each]
    step = numbers[1] - numbers[0] if len(numbers) == 2 else 0
    return length > SHORT_LENGTH or step > SHORT_STEP


def read_categories(entries: list[Any], name: str) -> list[tuple[Id, str]]:
    """Ids and names, in the order of the ids; equal names get their id.

    Args:
        entries (list): Of the field ``categories``.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If an id is missing or there twice.
    """
    entries = _checked_ids(entries, 'categories', name)
    names = [str(entry.get('name', entry['id'])) for entry in entries]
    return [
        (entry['id'], each if names.count(each) == 1 else f'{each} ({entry["id"]})')
        for entry, each in zip(entries, names)
    ]


def _checked_ids(entries: list[Any], field_name: str, name: str) -> list[dict]:
    """Entries in the order of their ids: numbers by value, texts after."""
    seen = set()
    for index, entry in enumerate(entries):
        where = f'{name}: {field_name}[{index}]'
        if not isinstance(entry, dict) or type(entry.get('id')) not in (int, str):
            raise ValueError(f'{where} has no "id" that is a whole number or a text')
        if str(entry['id']) in seen:
            raise ValueError(f'{where}: id {entry["id"]!r} is there twice')
        seen.add(str(entry['id']))
    return sorted(entries, key=lambda entry: (isinstance(entry['id'], str), entry['id']))
