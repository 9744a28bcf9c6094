"""One video with all its tracks, and how they overlap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..matching import IOU_THRS, MAX_TRACKS
from ..rle import frame_overlap
from ..tracks import Track, Video, mean_seen
from ..vis_tables import GroundTruth, Tracks


@dataclass(frozen=True)
class Case:
    """Predictions and objects of one video, all classes together.

    Attributes:
        video (Video): The video, of T frames.
        predictions (list[Track]): D, by falling score, at most 100 a class.
        labels (np.ndarray): (D,) positions of their classes.
        objects (list[Track]): G.
        object_labels (np.ndarray): (G,).
    """

    video: Video
    predictions: list[Track]
    labels: np.ndarray
    objects: list[Track]
    object_labels: np.ndarray

    @cached_property
    def scores(self) -> np.ndarray:
        """(D,) falling."""
        return np.array([track.score for track in self.predictions])

    @cached_property
    def crowd(self) -> np.ndarray:
        """(G,) bool."""
        return np.array([track.crowd for track in self.objects], bool)

    @cached_property
    def areas(self) -> np.ndarray:
        """(D, T) pixels of the predictions."""
        return _areas(self.predictions, self.video)

    @cached_property
    def object_areas(self) -> np.ndarray:
        """(G, T) pixels of the objects."""
        return _areas(self.objects, self.video)

    @cached_property
    def same_class(self) -> np.ndarray:
        """(D, G) bool."""
        return self.labels[:, None] == self.object_labels

    @cached_property
    def intersections(self) -> np.ndarray:
        """(D, G, T) pixels in common."""
        inter = np.zeros((len(self.predictions), len(self.objects), self.video.length))
        for frame in range(self.video.length):
            rows = np.flatnonzero(self.areas[:, frame])
            cols = np.flatnonzero(self.object_areas[:, frame])
            if len(rows) and len(cols):
                inter[rows[:, None], cols, frame] = frame_overlap(
                    [self.predictions[i].masks[frame] for i in rows],
                    [self.objects[i].masks[frame] for i in cols],
                    self.video.size,
                    self.areas[rows, frame],
                )
        return inter

    @cached_property
    def frame_iou(self) -> np.ndarray:
        """(D, G, T) IoU of the masks of each frame, 0 for empty ones."""
        union = self.areas[:, None] + self.object_areas[None] - self.intersections
        return self.intersections / np.maximum(union, 1)

    @cached_property
    def iou(self) -> np.ndarray:
        """(D, G) IoU over space and time."""
        inter = self.intersections.sum(-1)
        union = self.areas.sum(-1)[:, None] + self.object_areas.sum(-1) - inter
        return inter / np.maximum(union, 1)

    @cached_property
    def taken(self) -> np.ndarray:
        """(10, D) object found at each of ``IOU_THRS``, -1 for none."""
        taken = np.full((len(IOU_THRS), len(self.predictions)), -1)
        for label in np.intersect1d(self.labels, self.object_labels):
            rows = np.flatnonzero(self.labels == label)
            cols = np.flatnonzero(self.object_labels == label)
            own = take_objects(self.iou[np.ix_(rows, cols)], self.crowd[cols])
            taken[:, rows] = np.where(own < 0, -1, cols[own])
        return taken


def _areas(tracks: Sequence[Track], video: Video) -> np.ndarray:
    """Areas of N tracks, (N, T)."""
    if not tracks:
        return np.zeros((0, video.length))
    return np.stack([track.areas for track in tracks])


def take_objects(iou: np.ndarray, crowd: np.ndarray, iou_thrs: np.ndarray = IOU_THRS) -> np.ndarray:
    """Which object each prediction takes, by the rules of the metric.

    The best score chooses first: the free object it overlaps most, of equal
    ones the last; a crowd only if there is no other, and again and again.

    Args:
        iou (np.ndarray): (D, G), predictions by falling score.
        crowd (np.ndarray): (G,) bool.
        iou_thrs (np.ndarray): (T,) least overlap.

    Returns:
        np.ndarray: (T, D) positions of objects, -1 for none.
    """
    taken = np.full((len(iou_thrs), len(iou)), -1)
    free = np.ones((len(iou_thrs), iou.shape[1]), bool)
    least = np.minimum(iou_thrs, 1 - 1e-10)[:, None]
    for row in np.flatnonzero((iou >= least.min()).any(axis=1)):
        near = free & (iou[row] >= least)
        regular = near & ~crowd
        near = np.where(regular.any(axis=1, keepdims=True), regular, near)
        overlap = np.where(near, iou[row], -1.0)
        best = iou.shape[1] - 1 - overlap[:, ::-1].argmax(axis=1)
        hit = np.flatnonzero(near.any(axis=1))
        taken[hit, row] = best[hit]
        free[hit, best[hit]] = crowd[best[hit]]
    return taken


def read_cases(truth: GroundTruth, tracks: Tracks) -> Iterator[Case]:
    """The videos of a ground truth, one at a time.

    Args:
        truth (GroundTruth): With annotations.
        tracks (Tracks): Predictions.

    Yields:
        Case: The next video.
    """
    for index, video in enumerate(truth.videos):
        predictions: list[Track] = []
        objects: list[Track] = []
        labels: list[int] = []
        object_labels: list[int] = []
        for label in range(len(truth.categories)):
            found = by_score(tracks.get((index, label), []))[:MAX_TRACKS]
            predictions += found
            labels += [label] * len(found)
            wanted = truth.tracks.get((index, label), [])
            objects += wanted
            object_labels += [label] * len(wanted)
        yield make_case(
            video, predictions, np.array(labels, int), objects, np.array(object_labels, int)
        )


def make_case(
    video: Video,
    predictions: list[Track],
    labels: np.ndarray,
    objects: list[Track],
    object_labels: np.ndarray,
) -> Case:
    """A case of predictions in any order; of equal scores the first leads."""
    order = np.argsort([-track.score for track in predictions], kind='stable')
    return Case(video, [predictions[i] for i in order], labels[order], objects, object_labels)


def by_score(tracks: Sequence[Track]) -> list[Track]:
    """Tracks by falling score; of equal ones the first leads."""
    return sorted(tracks, key=lambda track: -track.score)


def with_predictions(case: Case, predictions: list[Track], labels: np.ndarray) -> Case:
    """The same objects with other predictions."""
    return make_case(case.video, predictions, labels, case.objects, case.object_labels)


def with_masks(track: Track, other: Track, frames: np.ndarray) -> Track:
    """A track that has the masks of another one in some frames.

    Args:
        track (Track): The track; not changed.
        other (Track): Whose masks to take.
        frames (np.ndarray): (T,) bool.

    Returns:
        Track: A new one.
    """
    if not frames.any():
        return track
    masks = [new if change else old for old, new, change in zip(track.masks, other.masks, frames)]
    areas = np.where(frames, other.areas, track.areas)
    return replace(track, masks=masks, areas=areas, mean_area=mean_seen(areas))


def without_masks(track: Track, frames: np.ndarray) -> Track:
    """A track that is absent in some more frames, (T,) bool."""
    nothing = replace(track, masks=[None] * len(track.masks), areas=np.zeros_like(track.areas))
    return with_masks(track, nothing, frames)
