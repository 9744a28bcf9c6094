"""Split of an annotation file into two, video by video.

No random state of a library is used, so that a split is the same everywhere.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mmcico.formats.cocovid import is_cocovid
from mmcico.formats.fields import id_key
from mmcico.formats.read import read_annotations

METHODS = ('last', 'random', 'stratified')


class Members(NamedTuple):
    """Video that each entry of a file belongs to.

    Attributes:
        keys (list[str]): Ids of the videos, in the order of the file.
        images (list[int]): Position of the video of each image (CocoVID).
        annotations (list[int]): Position of the video of each annotation.
        objects (list[Counter]): For each video, category id -> number of objects.
        frames (list[Sequence[str]]): Files of the frames of each video.
    """

    keys: list[str]
    images: list[int]
    annotations: list[int]
    objects: list[Counter]
    frames: list[Sequence[str]]


def read_members(data: dict, name: str) -> Members:
    """Return what belongs to which video in parsed JSON, YouTube-VIS, OVIS or CocoVID.

    Raises:
        ValueError: If the file is not sound.
    """
    file = read_annotations(data, name)
    homes = {id_key(video.id): number for number, video in enumerate(file.videos)}
    objects = [Counter(id_key(track.category_id) for track in v.tracks) for v in file.videos]
    frames: list[Sequence[str]] = [video.file_names for video in file.videos]
    annotations = data.get('annotations') or []
    if not is_cocovid(data):
        places = [homes[id_key(each['video_id'])] for each in annotations]
        return Members([*homes], [], places, objects, frames)
    of_image = {id_key(each['id']): homes[id_key(each['video_id'])] for each in data['images']}
    places = [of_image[id_key(each['image_id'])] for each in annotations]
    return Members([*homes], [*of_image.values()], places, objects, frames)


def number_to_choose(total: int, fraction: float) -> int:
    """Return the number of videos of the validation part.

    The training part has ``total * (1 - fraction)`` videos, rounded down; both parts have at
    least one.

    >>> number_to_choose(2238, .1), number_to_choose(2, .1)
    (224, 1)
    """
    first = int(total * (1 - fraction) + 1e-9)
    return min(max(total - first, 1), total - 1)


def shuffled(keys: Sequence[str], seed: int) -> list[int]:
    """Return positions of ids in an order that looks random; another seed gives another order.

    They are sorted by SHA-256 of seed and id, so that the order does not depend on that of the
    file, nor on other videos.
    """
    digests = [hashlib.sha256(f'{seed}:{key}'.encode()).digest() for key in keys]
    return sorted(range(len(keys)), key=digests.__getitem__)


def stratified_videos(
    keys: Sequence[str], number: int, seed: int, objects: Sequence[Mapping[Hashable, int]]
) -> set[int]:
    """Return the positions of ``number`` videos that hold an equal share of each class.

    By iterative stratification (Sechidis et al., ECML 2011), videos of the class that the fewest
    videos still have come first, and each goes to the part that lacks more objects of this class.
    The parts have exactly the numbers of videos that were asked for; the seed decides among equals.
    ``objects`` has the numbers of objects by class of each video.
    """
    classes = sorted(set().union(*objects), key=str)
    table = np.array([[video.get(each, 0) for each in classes] for video in objects])
    share = number / max(len(keys), 1)
    # what the kept part (0) and the chosen part (1) can still take: objects by class, videos
    lack = np.outer([1 - share, share], table.sum(axis=0))
    room = [len(keys) - number, number]
    chosen = set()

    def put(video: int, wanted: np.ndarray) -> None:
        """Add a video to the part that lacks more, by the (2,) wanted objects, then by videos."""
        part = int((wanted[1], room[1]) > (wanted[0], room[0]))
        part = part if room[part] else 1 - part
        room[part] -= 1
        lack[part] -= table[video]
        if part:
            chosen.add(video)

    order = shuffled(keys, seed)
    has = table > 0
    left = np.array([video for video in order if objects[video]], int)
    videos = has[left].sum(axis=0)  # those of each class that are left
    while len(left):
        rarest = np.where(videos, videos, len(keys) + 1).argmin()
        is_next = has[left, rarest]
        for video in left[is_next].tolist():
            put(video, lack[:, rarest])
        videos -= has[left[is_next]].sum(axis=0)
        left = left[~is_next]
    for video in order:
        if not objects[video]:
            put(video, np.zeros(2))
    return chosen


def choose_videos(members: Members, method: str, number: int, seed: int, name: str) -> set[int]:
    """Return the positions of ``number`` videos for validation by one of :data:`METHODS`.

    Raises:
        ValueError: If the file has too few videos, or no objects to stratify by.
    """
    total = len(members.keys)
    if not 1 <= number < total:
        raise ValueError(
            f'{name} has {total} videos; {number} of them for validation '
            f'leave {total - number} for training, each part needs one'
        )
    if method == 'last':
        return set(range(total - number, total))
    if method == 'random':
        return set(shuffled(members.keys, seed)[:number])
    if method != 'stratified':
        raise ValueError(f'method {method!r} is none of {METHODS}')
    if not members.annotations:
        raise ValueError(
            f'{name} has no annotations, so there are no classes '
            "to stratify by; take 'last' or 'random'"
        )
    return stratified_videos(members.keys, number, seed, members.objects)


def part_of(data: dict, members: Members, chosen: set[int]) -> dict:
    """Return the part of parsed JSON that belongs to the videos at some positions.

    It has the same fields in the same order, and all categories.
    """
    homes: dict[str, Sequence[int]] = dict(
        videos=range(len(members.keys)), annotations=members.annotations
    )
    if is_cocovid(data):
        homes['images'] = members.images
    part = dict(data)
    for key in data.keys() & homes.keys():
        part[key] = [each for each, home in zip(data[key] or [], homes[key]) if home in chosen]
    return part


def describe(members: Members, chosen: set[int]) -> str:
    """Return the numbers of the part that has the chosen videos, and the classes that it lacks."""
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


def shared_frames(members: Members, chosen: set[int]) -> str:
    """Return a warning if both parts show the same frames, else an empty text.

    A model would then be validated on what it was trained on.
    """
    owners = {
        name: i for i, names in enumerate(members.frames) if i not in chosen for name in names
    }
    shared = [(owners[n], i, n) for i in sorted(chosen) for n in members.frames[i] if n in owners]
    if not shared:
        return ''
    first, second, name = shared[0]
    return (
        f'warning: {len(shared)} frames of the validation part are in the training part, too: '
        f'{name} is of video {members.keys[first]} and of video {members.keys[second]}; validation '
        'would measure what was trained on, so keep such videos in one part'
    )
