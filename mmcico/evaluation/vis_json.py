"""Ground truth and results files of video instance segmentation.

Both follow the layout of YouTube-VIS, which OVIS shares. Everything that a
file can get wrong ends in a ``ValueError`` that names file, video, track,
frame and field.
"""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Tuple, Union

from mmcico.utils.json_file import load_json
from .tracks import (Id, Track, Video, is_number, mean_seen, occlusion_score,
                     read_masks, stated_area)

# (video, category) -> tracks in the order of the file; both are positions
# in GroundTruth.videos and GroundTruth.categories
Tracks = Dict[Tuple[int, int], List[Track]]


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
    videos: List[Video]
    categories: List[Tuple[Id, str]]
    tracks: Tracks = field(default_factory=dict)
    has_annotations: bool = False
    without_occlusion: int = 0

    def __post_init__(self) -> None:
        self.video_index = {str(v.id): i for i, v in enumerate(self.videos)}
        self.category_index = {
            str(each[0]): i
            for i, each in enumerate(self.categories)
        }


def read_ground_truth(source: Union[str, Path, dict],
                      name: str = 'ground truth') -> GroundTruth:
    """Read and check a ground truth file.

    Args:
        source (str | Path | dict): File, or what was read from it.
        name (str): Of the file in messages, when ``source`` is a dict.

    Returns:
        GroundTruth: The file; no tracks if it has no ``annotations``.

    Raises:
        ValueError: If the file is not usable.
    """
    if not isinstance(source, dict):
        source, name = load_json(source), str(source)
    if not isinstance(source, dict) or not all(
            isinstance(source.get(key), list)
            for key in ('videos', 'categories')):
        raise ValueError(
            f'{name}: expected an object with the lists "videos", '
            '"categories" and "annotations", the layout of YouTube-VIS')
    truth = GroundTruth(name, _read_videos(source['videos'], name),
                        _read_categories(source['categories'], name))
    annotations = source.get('annotations') or []
    if not isinstance(annotations, list):
        raise ValueError(f'{name}: "annotations" is not a list')
    for index, annotation in enumerate(annotations):
        _add_annotation(truth, annotation, index)
    truth.has_annotations = bool(annotations)
    return truth


def read_results(source: Union[str, Path, list],
                 truth: GroundTruth,
                 name: str = 'results') -> Tracks:
    """Read and check results against the ground truth.

    Args:
        source (str | Path | list): File, or what was read from it.
        truth (GroundTruth): Whose videos and categories are meant.
        name (str): Of the file in messages, when ``source`` is a list.

    Returns:
        Tracks: Predicted tracks. One without any mask counts as a false
            positive, as it does for the official tool.

    Raises:
        ValueError: If the file is not usable.
    """
    if not isinstance(source, list):
        source, name = load_json(source), str(source)
    if not isinstance(source, list):
        raise ValueError(f'{name}: expected a list of tracks, found '
                         f'{type(source).__name__}')
    tracks: Tracks = {}
    for index, entry in enumerate(source):
        where = f'{name}: track {index}'
        video, category = _place(truth, entry, where)
        where += f' of video {truth.videos[video].id}'
        score = entry.get('score')
        if not is_number(score):
            raise ValueError(f'{where}: field score is {score!r} instead of a '
                             'finite number')
        masks, areas = read_masks(entry, truth.videos[video], where)
        tracks.setdefault((video, category), []).append(
            Track(masks, areas, mean_seen(areas), score=float(score)))
    return tracks


def _checked_ids(entries: List[Any], field_name: str, name: str) -> List[dict]:
    """Entries in the order of their ids: numbers by value, texts after."""
    seen = set()
    for index, entry in enumerate(entries):
        where = f'{name}: {field_name}[{index}]'
        if not isinstance(entry, dict) or type(
                entry.get('id')) not in (int, str):
            raise ValueError(f'{where} has no "id" that is a whole number or '
                             'a text')
        if str(entry['id']) in seen:
            raise ValueError(f'{where}: id {entry["id"]!r} is there twice')
        seen.add(str(entry['id']))
    return sorted(
        entries, key=lambda entry: (isinstance(entry['id'], str), entry['id']))


def _read_videos(entries: List[Any], name: str) -> List[Video]:
    videos = []
    for entry in _checked_ids(entries, 'videos', name):
        size = entry.get('height'), entry.get('width')
        length = entry.get('length', len(entry.get('file_names') or []))
        for key, value in zip(('height', 'width', 'length'), (*size, length)):
            if type(value) is not int or value <= 0:
                raise ValueError(f'{name}: video {entry["id"]}: field {key} '
                                 f'is {value!r} instead of a number above 0')
        videos.append(Video(entry['id'], size, length))
    return videos


def _read_categories(entries: List[Any], name: str) -> List[Tuple[Id, str]]:
    entries = _checked_ids(entries, 'categories', name)
    names = [str(entry.get('name', entry['id'])) for entry in entries]
    return [(entry['id'],
             each if names.count(each) == 1 else f'{each} ({entry["id"]})')
            for entry, each in zip(entries, names)]


def _place(truth: GroundTruth, entry: Any, where: str) -> Tuple[int, int]:
    """Positions of a track's video and category."""
    if not isinstance(entry, dict):
        raise ValueError(f'{where} is {type(entry).__name__} instead of an '
                         'object')
    places = []
    for key, index in (('video_id', truth.video_index),
                       ('category_id', truth.category_index)):
        value = entry.get(key)
        if str(value) not in index:
            raise ValueError(
                f'{where}: field {key} is {value!r}, which is none of the '
                f'{len(index)} in {truth.name}; do the files belong together?')
        places.append(index[str(value)])
    return places[0], places[1]


def _add_annotation(truth: GroundTruth, entry: Any, index: int) -> None:
    where = f'{truth.name}: annotation {index}'
    place = _place(truth, entry, where)
    video = truth.videos[place[0]]
    where += f' (id {entry.get("id")}) of video {video.id}'
    masks, areas = read_masks(entry, video, where)
    mean_area = mean_seen(areas)
    if entry.get('areas') is not None:
        mean_area = stated_area(entry['areas'], video, where)
    occlusion = 0.
    if entry.get('occlusion') is None:
        truth.without_occlusion += 1
    else:
        occlusion = occlusion_score(entry['occlusion'], video, where)
    truth.tracks.setdefault(place, []).append(
        Track(
            masks,
            areas,
            mean_area,
            crowd=bool(entry.get('iscrowd', 0)),
            occlusion=occlusion))
