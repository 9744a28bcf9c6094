"""Methods that choose the videos for validation.

Each takes the ids of the videos and the number to choose, and returns positions. No random
state of a library is used, so that a split is the same everywhere.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence


def shuffled(keys: Sequence[str], seed: int) -> list[int]:
    """Return positions in an order that looks random.

    Args:
        keys (Sequence[str]): Ids.
        seed (int): Another seed gives another order.

    Returns:
        list[int]: Positions sorted by SHA-256 of seed and id, so that the order does not
        depend on that of the file, nor on other videos.
    """
    digests = [hashlib.sha256(f'{seed}:{key}'.encode()).digest() for key in keys]
    return sorted(range(len(keys)), key=digests.__getitem__)


def last_videos(keys: Sequence[str], number: int) -> set[int]:
    """Return the positions of the last ``number`` videos of the file."""
    return set(range(len(keys) - number, len(keys)))


def random_videos(keys: Sequence[str], number: int, seed: int) -> set[int]:
    """Return the positions of ``number`` videos that are chosen at random by ``seed``."""
    return set(shuffled(keys, seed)[:number])


def stratified_videos(
    keys: Sequence[str], number: int, seed: int, objects: Sequence[Mapping[Hashable, int]]
) -> set[int]:
    """Return the positions of videos that hold an equal share of each class.

    By iterative stratification (Sechidis et al., ECML 2011), videos of the class that the
    fewest videos still have come first, and each goes to the part that lacks more objects of
    this class. The parts have exactly the numbers of videos that were asked for.

    Args:
        keys (Sequence[str]): Ids of ``V`` videos.
        number (int): Number of videos to choose.
        seed (int): Seed of the choice among equals.
        objects (Sequence[Mapping]): Class -> number of objects, for each of ``V`` videos.
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
    """Return the class that the fewest videos have."""
    videos = Counter(each for video in objects for each in video)
    return min(videos, key=lambda each: (videos[each], str(each)))


class _Parts:
    """Two parts of a set of videos while they are filled.

    ``lack`` holds the numbers of objects of each class, and ``room`` the numbers of videos,
    that the kept part (0) and the chosen part (1) can still take.
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
        """Add a video to the part that lacks more of the wanted class."""
        need = [(lack.get(wanted, 0.0), room) for lack, room in zip(self.lack, self.room)]
        part = int(need[1] > need[0])
        if not self.room[part]:
            part = 1 - part
        self.room[part] -= 1
        for each, num in self.objects[video].items():
            self.lack[part][each] -= num
        if part:
            self.chosen.add(video)
