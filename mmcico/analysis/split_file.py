"""An annotation file cut into two, video by video."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from mmcico.datasets.cocovid_format import is_cocovid
from mmcico.datasets.fields import (
    by_id,
    id_key,
    look_up,
    read_annotations_list,
    read_categories,
    required_list,
    video_records,
)

from .split_methods import last_videos, random_videos, stratified_videos

METHODS = ('last', 'random', 'stratified')


class Members(NamedTuple):
    """Which video each entry of a file belongs to.

    Attributes:
        keys (list[str]): Ids of the videos, in the order of the file.
        images (list[int]): Position of the video of each image (CocoVID).
        annotations (list[int]): Position of the video of each annotation.
        objects (list[Counter]): For each video, category id -> number of
            objects.
    """

    keys: list[str]
    images: list[int]
    annotations: list[int]
    objects: list[Counter]


def read_members(data: dict, name: str) -> Members:
    """Find out what belongs to which video.

    Args:
        data (dict): The parsed JSON, YouTube-VIS, OVIS or CocoVID.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If an id is missing, there twice, or leads nowhere.
    """
    keys = list(video_records(data, name))
    videos = {key: number for number, key in enumerate(keys)}
    categories = {id_key(key): key for key, _ in read_categories(data, name)}
    images: list[int] = []
    field, target, homes = 'video_id', 'videos', videos
    if is_cocovid(data):
        records = by_id(required_list(data, 'images', name), 'image', name)
        images = [
            look_up(videos, record, 'video_id', 'videos', f'{name}: image {key}')
            for key, record in records.items()
        ]
        field, target, homes = 'image_id', 'images', dict(zip(records, images))
    annotations: list[int] = []
    seen: list[dict[tuple[str, str], str]] = [{} for _ in keys]
    for number, record in enumerate(read_annotations_list(data, name)):
        where = f'{name}: annotation no. {number}'
        home = look_up(homes, record, field, target, where)
        category = look_up(categories, record, 'category_id', 'categories', where)
        annotations.append(home)
        # an object has one entry a frame in CocoVID, but is one object
        instance = record.get('instance_id') if images else number
        seen[home][id_key(instance), id_key(category)] = id_key(category)
    objects = [Counter(video.values()) for video in seen]
    return Members(keys, images, annotations, objects)


def number_to_choose(total: int, fraction: float) -> int:
    """Videos of the validation part: what the first part leaves.

    The first part has ``total * (1 - fraction)`` videos, rounded down, both
    have one at least.

    >>> number_to_choose(2238, .1), number_to_choose(2, .1)
    (224, 1)
    """
    first = int(total * (1 - fraction) + 1e-9)
    return min(max(total - first, 1), total - 1)


def choose_videos(members: Members, method: str, number: int, seed: int, name: str) -> set[int]:
    """Positions of the videos for validation.

    Args:
        members (Members): Of the file.
        method (str): One of :data:`METHODS`.
        number (int): How many videos.
        seed (int): Of ``'random'`` and ``'stratified'``.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If the file has too few videos, or no objects to
            stratify by.
    """
    total = len(members.keys)
    if not 1 <= number < total:
        raise ValueError(
            f'{name} has {total} videos; {number} of them for validation '
            f'leave {total - number} for training, each part needs one'
        )
    if method == 'last':
        return last_videos(members.keys, number)
    if method == 'random':
        return random_videos(members.keys, number, seed)
    if method != 'stratified':
        raise ValueError(f'method {method!r} is none of {METHODS}')
    if not members.annotations:
        raise ValueError(
            f'{name} has no annotations, so there are no classes '
            "to stratify by; take 'last' or 'random'"
        )
    return stratified_videos(members.keys, number, seed, members.objects)


def part_of(data: dict, members: Members, chosen: set[int]) -> dict:
    """The part of a file that belongs to some videos.

    Args:
        data (dict): The parsed JSON; it is not changed.
        members (Members): Of the file.
        chosen (set[int]): Positions of videos.

    Returns:
        dict: The same fields in the same order, with the chosen videos and
        what belongs to them; all categories.
    """
    homes = dict(
        videos=range(len(members.keys)), images=members.images, annotations=members.annotations
    )

    def pick(key: str, records: Sequence[dict]) -> list[dict]:
        return [record for record, home in zip(records, homes[key]) if home in chosen]

    is_frames = is_cocovid(data)
    return {
        key: pick(key, value or []) if key in homes and (key != 'images' or is_frames) else value
        for key, value in data.items()
    }


def describe(members: Members, chosen: set[int]) -> str:
    """Numbers of a part, and classes that it lacks.

    Args:
        members (Members): Of the whole file.
        chosen (set[int]): Positions of the part's videos.
    """
    every: Counter = Counter()
    here: Counter = Counter()
    for video, objects in enumerate(members.objects):
        every.update(objects)
        if video in chosen:
            here.update(objects)
    text = (
        f'{len(chosen)} videos, {sum(here.values())} objects, {len(here)} of {len(every)} classes'
    )
    missing = [key for key in every if key not in here]
    return text + (f'; without category ids {", ".join(missing)}' if missing else '')
