"""Samplers: samples of each process, and seeds of their augmentation."""

from collections.abc import Iterator, Sequence
from typing import Any

import mmdet.datasets  # noqa: F401  bare types of configs live there
from mmengine.dist import broadcast_object_list, get_dist_info, is_main_process
from torch.utils.data import Dataset, Sampler

from mmcico.formats.fields import id_key
from mmcico.formats.results import find_parts, read_part
from mmcico.registry import DATA_SAMPLERS
from mmcico.utils.numerics import seeded


def balanced_shares(lengths: Sequence[int], num_shares: int) -> list[list[int]]:
    """Distribute items, given by their lengths, so that shares are about equal.

    The longest remaining item goes to the share with the least work, to the first of equal ones.
    Returns the items of each share, in order; a share may be empty.
    """
    loads = [0] * num_shares
    shares: list[list[int]] = [[] for _ in range(num_shares)]
    for item in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        share = loads.index(min(loads))
        shares[share].append(item)
        loads[share] += lengths[item]
    return [sorted(share) for share in shares]


def finished_videos(folder: str) -> set[str]:
    """Return the ids of the videos that an interrupted test wrote to a folder, on all processes."""
    found: list[set[str]] = [set()]
    if is_main_process():
        parts = find_parts(folder).values()
        found = [{id_key(record['video_id']) for part in parts for record in read_part(part)}]
    broadcast_object_list(found)
    return found[0]


@DATA_SAMPLERS.register_module()
class VideoSampler(Sampler):
    """Sampler that gives whole videos to each process, with their clips in order.

    The clips of a video depend on each other. Videos are distributed by their number of clips; with
    more processes than videos, some processes have none.

    Args:
        dataset (Dataset): :class:`VISDataset` in test mode.
        resume_from (str, optional): Folder of an interrupted test; the videos that it finished are
            left out (``tools/test.py --resume``).
        seed (int, optional): Not used; MMEngine passes it to all samplers.
        **kwargs: Likewise.

    Raises:
        ValueError: If the data set has no videos.
    """

    def __init__(
        self, dataset: Any, resume_from: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        if not hasattr(dataset, 'video_of'):
            raise ValueError(
                'mmcico.VideoSampler distributes the videos of a mmcico.VISDataset, not of a '
                f'{type(dataset).__name__}; test data sets one after the other'
            )
        rank, world_size = get_dist_info()
        clips: dict = {}
        for index in range(len(dataset)):
            clips.setdefault(dataset.video_of(index), []).append(index)
        if resume_from is not None:
            finished = finished_videos(resume_from)
            clips = {
                v: each for v, each in clips.items() if id_key(dataset.videos[v].id) not in finished
            }
        videos = list(clips.values())
        shares = balanced_shares([len(v) for v in videos], world_size)
        self.indices = [i for v in shares[rank] for i in videos[v]]

    def __iter__(self) -> Iterator[int]:
        """Iterate over the indices of clips."""
        return iter(self.indices)

    def __len__(self) -> int:
        """Return the number of clips of this process."""
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Do nothing, since nothing is random."""


class NumberedIndex(int):
    """Index of a data set with the numbers that seed the augmentation of its sample."""

    numbers: tuple[int, ...]


class NumberedSampler(Sampler):
    """Sampler that adds the numbers that seed the augmentation to the indices of another one.

    The numbers are the seed of the training, the epoch and the place of the sample in the epoch,
    counted over all processes. The augmentation of a sample therefore depends neither on the
    samples loaded before nor on the worker that loads it: it is the same with any number of workers
    and after resuming.

    Args:
        sampler (Sampler): Chooses the samples of this process.
        seed (int): Seed of the training, the same in all processes.
    """

    def __init__(self, sampler: Any, seed: int) -> None:
        self.sampler = sampler
        self.seed = seed
        #: samples that the next pass leaves out at its start
        self.skip = 0
        self._passes = 0

    def __getattr__(self, name: str) -> Any:
        if name == 'sampler':
            raise AttributeError(name)
        return getattr(self.sampler, name)

    def __iter__(self) -> Iterator[NumberedIndex]:
        """Iterate over the indices of samples."""
        rank, world_size = get_dist_info()
        epoch = getattr(self.sampler, 'epoch', self._passes)
        self._passes += 1
        skip, self.skip = self.skip, 0
        for place, value in enumerate(self.sampler):
            if place >= skip:
                index = NumberedIndex(value)
                index.numbers = (self.seed, epoch, place * world_size + rank)
                yield index

    def __len__(self) -> int:
        """Return the number of samples of this process."""
        return len(self.sampler)


class SeededItems:
    """Loader of the samples of a batch, each with generators seeded by its numbers.

    It becomes ``__getitems__`` of a data set, which PyTorch's loader calls with the indices of a
    batch.

    Args:
        dataset (Dataset): Any data set.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __call__(self, indices: Sequence[NumberedIndex]) -> list:
        """Return the samples of a batch."""
        samples = []
        for index in indices:
            with seeded(*index.numbers):
                samples.append(self.dataset[int(index)])
        return samples
