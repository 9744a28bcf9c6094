"""Accumulation of the frames and votes of one video into entries of ``results.json``."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from mmcico.formats.rle import Size, as_json

from .matching import MAX_TRACKS


class VideoResults:
    """Encoded masks and votes of a video that is being tested.

    Args:
        video_id (int | str): Id of the video in the data set.
        length (int, optional): Number of frames. If left out, the frames that were added count.

    Attributes:
        num_repeated (int): Number of predictions that were left out because a better one of
            the same frame has their id.
    """

    def __init__(self, video_id: Any, length: int | None = None) -> None:
        self.video_id = video_id
        self.num_repeated = 0
        self._length = length
        self._sizes: dict[int, Size] = {}
        self._masks: dict[int, dict[int, bytes]] = {}
        #: whether a track gets the lowest of equally frequent labels, not the better scored one
        self.lowest_of_ties = False
        # track -> label -> (votes, sum of scores)
        self._votes: dict[int, dict[int, tuple[int, float]]] = {}
        self._confirmed: set[int] = set()

    @property
    def length(self) -> int:
        """Number of frames."""
        return max(self._sizes, default=-1) + 1 if self._length is None else self._length

    @property
    def reached_end(self) -> bool:
        """Whether the last frame was added."""
        return self.length - 1 in self._sizes

    def add_frame(
        self, frame_id: int, size: Size, ids: Sequence[int], masks: Sequence[bytes | None]
    ) -> None:
        """Add N track ids and masks, as compressed RLE counts, of a frame of an original size.

        Empty masks are None.

        Raises:
            ValueError: If the frame is outside the video or was added before, or if a track
                occurs twice.
        """
        where = f'video {self.video_id}: frame {frame_id}'
        if self._length is not None and not 0 <= frame_id < self._length:
            raise ValueError(
                f'{where} is outside of 0..{self.length - 1}, the frames that video_length allows'
            )
        if frame_id in self._sizes:
            raise ValueError(
                f'{where}: results came twice; one clip must write each frame, and one process '
                'must test each video once (round_up=False in the sampler)'
            )
        if len(set(ids)) != len(ids):
            raise ValueError(f'{where}: field instances_id has a value twice: {list(ids)}')
        self._sizes[frame_id] = size
        for track, mask in zip(ids, masks):
            if mask is not None:
                self._masks.setdefault(track, {})[frame_id] = mask

    def add_votes(
        self,
        ids: Sequence[int],
        scores: Sequence[float],
        labels: Sequence[int],
        tentative: Sequence[bool] = (),
    ) -> None:
        """Add the scores and labels that a clip or a frame gives to N tracks.

        Tracks that are ``tentative`` in all clips are not among the results.
        """
        self._confirmed.update(track for track, unsure in zip_longest(ids, tentative) if not unsure)
        for track, score, label in zip(ids, scores, labels):
            votes = self._votes.setdefault(track, {})
            number, total = votes.get(label, (0, 0.0))
            votes[label] = number + 1, total + score

    def finish(self, category_ids: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the entries of all confirmed tracks with a mask, best score first.

        There are at most 100 of each class; ``category_ids`` are those of the labels.

        Raises:
            ValueError: If a frame is missing or a track has no vote.
        """
        kept: Counter = Counter()
        results = []
        for _, label, score, masks in self.tracks(len(category_ids)):
            kept[label] += 1
            if kept[label] <= MAX_TRACKS:
                where = dict(video_id=self.video_id, score=score, category_id=category_ids[label])
                results.append(dict(where, segmentations=masks))
        return results

    def record(self, category_ids: Sequence[Any]) -> dict[str, Any]:
        """Return what a part of a test stores, with ``num_repeated`` unless it is 0."""
        record = dict(video_id=self.video_id, results=self.finish(category_ids))
        return dict(record, num_repeated=self.num_repeated) if self.num_repeated else record

    def tracks(self, num_classes: int) -> list[tuple[int, int, float, list]]:
        """Return all confirmed tracks with a mask, in descending order of their scores.

        Each has its id, a label below the number of classes, its score, and the RLE of each frame
        or None.

        Raises:
            ValueError: If a frame is missing or a track has no vote.
        """
        missing = [i for i in range(self.length) if i not in self._sizes]
        if missing:
            raise ValueError(
                f'video {self.video_id}: no results for {len(missing)} of {self.length} frames, '
                f'the first being frame {missing[0]}; all clips of a video have to go through one '
                'process, in order (sampler of the test data loader)'
            )
        # all tracks are checked, also those that are not confirmed
        elected = [(track, *self._elect(track, num_classes)) for track in self._masks]
        best = [each for each in elected if each[0] in self._confirmed]
        best.sort(key=lambda each: (-each[2], each[0]))
        return [(*each, self._segmentations(each[0])) for each in best]

    def _elect(self, track: int, num_classes: int) -> tuple[int, float]:
        """Return the most frequent label and the mean score."""
        votes = self._votes.get(track)
        if votes is None:
            raise ValueError(
                f'video {self.video_id}: track {track} has masks but no '
                'score; clip_instances must list every track of the clip'
            )
        voted = {each: count[:1] if self.lowest_of_ties else count for each, count in votes.items()}
        label = max(voted, key=lambda each: (*voted[each], -each))
        if not 0 <= label < num_classes:
            raise ValueError(
                f'video {self.video_id}: track {track}: label {label} is none '
                f'of the {num_classes} in category_ids of the data set; do '
                'num_classes of the model and the data set agree?'
            )
        number, total = map(sum, zip(*votes.values()))
        return label, total / number

    def _segmentations(self, track: int) -> list[dict[str, Any] | None]:
        masks = self._masks[track]
        return [
            as_json(masks[frame], self._sizes[frame]) if frame in masks else None
            for frame in range(self.length)
        ]
