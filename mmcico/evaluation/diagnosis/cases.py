"""The tracks of one video, all classes together, and their overlaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mmcico.formats.annotations import AnnotatedVideo

from ..ground_truth import GroundTruth, Track, Tracks, mean_seen
from ..matching import MAX_TRACKS, assign, intersections, stack_areas


@dataclass(frozen=True)
class Case:
    """Predictions and objects of one video, all classes together.

    Attributes:
        video (AnnotatedVideo): Video of T frames.
        predictions (list[Track]): D predictions in descending order of their scores, at most 100
            of each class.
        labels (np.ndarray): (D,) class indices of the predictions.
        objects (list[Track]): G objects.
        object_labels (np.ndarray): (G,) class indices of the objects.
    """

    video: AnnotatedVideo
    predictions: list[Track]
    labels: np.ndarray
    objects: list[Track]
    object_labels: np.ndarray

    def having(self, predictions: Sequence[Track], labels: np.ndarray) -> 'Case':
        """Return the video with other predictions; the first of equal scores ranks higher."""
        order = np.argsort([-track.score for track in predictions], kind='stable')
        ranked = [predictions[i] for i in order]
        return replace(self, predictions=ranked, labels=labels[order])

    @cached_property
    def scores(self) -> np.ndarray:
        """(D,) scores in descending order."""
        return np.array([track.score for track in self.predictions])

    @cached_property
    def crowd(self) -> np.ndarray:
        """(G,) bool, whether an object is a crowd."""
        return np.array([track.crowd for track in self.objects], bool)

    @cached_property
    def areas(self) -> np.ndarray:
        """(D, T) pixels of the predictions."""
        return stack_areas(self.predictions, self.video.length)

    @cached_property
    def object_areas(self) -> np.ndarray:
        """(G, T) pixels of the objects."""
        return stack_areas(self.objects, self.video.length)

    @cached_property
    def same_class(self) -> np.ndarray:
        """(D, G) bool, whether prediction and object have the same class."""
        return self.labels[:, None] == self.object_labels

    @cached_property
    def intersections(self) -> np.ndarray:
        """(D, G, T) pixels in common."""
        if not self.predictions or not self.objects:
            return np.zeros((len(self.predictions), len(self.objects), self.video.length))
        common = intersections(self.predictions, self.objects, self.video.size)
        return np.ascontiguousarray(common.transpose(1, 2, 0))

    @cached_property
    def frame_iou(self) -> np.ndarray:
        """(D, G, T) IoU of the masks of each frame, 0 for two empty ones."""
        union = self.areas[:, None] + self.object_areas - self.intersections
        return self.intersections / np.maximum(union, 1)

    @cached_property
    def iou(self) -> np.ndarray:
        """(D, G) IoU over space and time."""
        inter = self.intersections.sum(-1)
        union = self.areas.sum(-1)[:, None] + self.object_areas.sum(-1) - inter
        return inter / np.maximum(union, 1)

    @cached_property
    def taken(self) -> np.ndarray:
        """(10, D) index of the object found at each of ``IOU_THRS``, -1 for none."""
        own_class = np.where(self.same_class, self.iou, -1.0)
        return assign(own_class, self.crowd, self.crowd[None])[0]


def read_cases(truth: GroundTruth, tracks: Tracks) -> Iterator[Case]:
    """Iterate over the videos of a ground truth.

    Args:
        truth (GroundTruth): Ground truth with annotations.
        tracks (Tracks): Predictions.

    Yields:
        Case: The next video.
    """
    nothing = np.zeros(0, int)
    labels = np.arange(len(truth.categories))
    for index, video in enumerate(truth.videos):
        places = [(index, label) for label in labels.tolist()]
        found = [_by_score(tracks.get(place, []))[:MAX_TRACKS] for place in places]
        wanted = [truth.tracks.get(place, []) for place in places]
        objects = Case(video, [], nothing, sum(wanted, []), np.repeat(labels, [*map(len, wanted)]))
        yield objects.having(sum(found, []), np.repeat(labels, [*map(len, found)]))


def _by_score(tracks: Sequence[Track]) -> list[Track]:
    """Sort tracks by descending score; the first of equal scores ranks higher."""
    return sorted(tracks, key=lambda track: -track.score)


def with_masks(track: Track, other: Track, frames: np.ndarray) -> Track:
    """Return a copy of a track that has the masks of another one in some frames, (T,) bool.

    It is the track itself if no frame is chosen.
    """
    if not frames.any():
        return track
    masks = [new if change else old for old, new, change in zip(track.masks, other.masks, frames)]
    areas = np.where(frames, other.areas, track.areas)
    return replace(track, masks=masks, areas=areas, mean_area=mean_seen(areas))


def without_masks(track: Track, frames: np.ndarray) -> Track:
    """Return a copy of a track without its masks in some frames, (T,) bool."""
    nothing = replace(track, masks=[None] * len(track.masks), areas=np.zeros_like(track.areas))
    return with_masks(track, nothing, frames)
