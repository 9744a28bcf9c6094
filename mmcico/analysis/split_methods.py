"""Ways to choose the videos that are kept back for validation.

Each takes the videos' ids and how many to choose, and returns positions. No
random state of a library is used, so that a split is the same everywhere.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence


def shuffled(keys: Sequence[str], seed: int) -> list[int]:
    """Positions in an order that looks random.

    Args:
        keys (Sequence[str]): Ids.
        seed (int): Another seed is another order.

    Returns:
        list[int]: Sorted by SHA-256 of seed and id; the order of the file
        plays no part, and a video that is added later moves no other.
    """
    digests = [hashlib.sha256(f'{seed}:{key}'.encode()).digest() for key in keys]
    return sorted(range(len(keys)), key=digests.__getitem__)


def last_videos(keys: Sequence[str], number: int) -> set[int]:
    """The last videos of the file.

    Args:
        keys (Sequence[str]): Ids in the order of the file.
        number (int): How many.
    """
    return set(range(len(keys) - number, len(keys)))


def random_videos(keys: Sequence[str], number: int, seed: int) -> set[int]:
    """Videos chosen by chance.

    Args:
        keys (Sequence[str]): Ids.
        number (int): How many.
        seed (int): Another seed is another choice.
    """
    return set(shuffled(keys, seed)[:number])


def stratified_videos(
    keys: Sequence[str], number: int, seed: int, objects: Sequence[Mapping[Hashable, int]]
) -> set[int]:
    """Videos chosen so that each class has its share of objects.

    Iterative stratification (Sechidis et al., ECML 2011): videos of the class
    that the fewest videos still have come first, each goes to the part that
    lacks more objects of this class. Both parts get exactly as many videos as
    they should.

    Args:
        keys (Sequence[str]): Ids of ``V`` videos.
        number (int): How many of them to choose.
        seed (int): Another seed is another choice among equals.
        objects (Sequence[Mapping]): ``V`` times class -> number of objects.
    """
    parts = _Parts(number / max(len(keys), 1), len(keys), number, objects)
    order = shuffled(keys, seed)
    left = [video for video in order if objects[video]]
    while left:
        wanted = _rarest([objects[video] for video in left])
        for video in [v for v in left if objects[v].get(wanted)]:
            parts.put(video, wanted)
        left = [v for v in left if not objects[v].get(wanted)]
    for video in order:
        if not objects[video]:
            parts.put(video, None)
    return parts.chosen


def _rarest(objects: Sequence[Mapping[Hashable, int]]) -> Hashable:
    """The class that the fewest videos have."""
    videos = Counter(each for video in objects for each in video)
    return min(videos, key=lambda each: (videos[each], str(each)))


class _Parts:
    """Two parts of a set of videos that are being filled.

    ``lack`` holds how many objects of each class, and ``room`` how many
    videos, the kept part (0) and the chosen part (1) can still take.
    """

    def __init__(
        self, share: float, total: int, number: int, objects: Sequence[Mapping[Hashable, int]]
    ) -> None:
        self.objects = objects
        self.chosen: set[int] = set()
        self.room = [total - number, number]
        count: Counter = Counter()
        for video in objects:
            count.update(video)
        self.lack: list[dict[Hashable, float]] = [
            {each: part * num for each, num in count.items()} for part in (1 - share, share)
        ]

    def put(self, video: int, wanted: Hashable) -> None:
        """Give a video to the part that lacks more of the wanted class."""
        need = [(lack.get(wanted, 0.0), room) for lack, room in zip(self.lack, self.room)]
        part = int(need[1] > need[0])
        if not self.room[part]:
            part = 1 - part
        self.room[part] -= 1
        for each, num in self.objects[video].items():
            self.lack[part][each] -= num
        if part:
            self.chosen.add(video)
