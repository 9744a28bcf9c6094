"""Temporal coherence of objects (section 3.2 and eq. 3 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pycocotools import mask as mask_api

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile

NUM_BINS = 20
THRESHOLD = 0.75
#: digits to which values are rounded before they are put into bins, so that 0.1 + 0.2 and 0.3
#: share a bin
DIGITS = 9
MEASURES = ('boxes', 'masks')


def neighbour_mask_ious(
    counts: Sequence[bytes | None], size: tuple[int, int], intervals: int
) -> np.ndarray:
    """Return the IoU of an object's mask with its masks in the next frames.

    Args:
        counts (Sequence[bytes | None]): L compressed RLE counts, None for frames that do not show
            it.
        size (tuple[int, int]): Height and width.
        intervals (int): D, greatest distance in frames.

    Returns:
        np.ndarray: (D, L), ``[d - 1, t]`` for frames ``t`` and ``t + d``; NaN unless both show it.
    """
    ious = np.full((intervals, len(counts)), np.nan)
    codes = [text and dict(size=[*size], counts=text) for text in counts]
    for t, code in enumerate(codes):
        ahead = [
            (d, codes[t + d])
            for d in range(1, min(intervals, len(codes) - 1 - t) + 1)
            if codes[t + d]
        ]
        if code and ahead:
            found = mask_api.iou([code], [each for _, each in ahead], [0] * len(ahead))
            ious[[d - 1 for d, _ in ahead], t] = found[0]
    return ious


def neighbour_box_ious(boxes: np.ndarray, intervals: int) -> np.ndarray:
    """Return the IoU of an object's box with its boxes in the next frames.

    Args:
        boxes (np.ndarray): (L, 4) ``x, y, width, height``, NaN for frames that do not show it.
        intervals (int): D, greatest distance in frames.

    Returns:
        np.ndarray: (D, L), as in :func:`neighbour_mask_ious`.
    """
    ious = np.full((intervals, len(boxes)), np.nan)
    low, side = boxes[:, :2], boxes[:, 2:]
    area = side.prod(axis=1)
    for d in range(1, min(intervals, len(boxes) - 1) + 1):
        corner = np.maximum(low[:-d], low[d:])
        end = np.minimum((low + side)[:-d], (low + side)[d:])
        common = np.maximum(end - corner, 0).prod(axis=1)
        ious[d - 1, :-d] = common / (area[:-d] + area[d:] - common)
    return ious


def frame_values(ious: np.ndarray) -> list[np.ndarray]:
    """Return the T-BIoU or T-MIoU of an object in its frames.

    It is the mean of the IoU of frame t with frames t - d and t + d, or the only one that exists;
    frames with neither have no value.

    Args:
        ious (np.ndarray): (D, L) IoU of frames t and t + d.

    Returns:
        list[np.ndarray]: D arrays of the frames that have a value.
    """
    values = []
    for d, ahead in enumerate(ious, start=1):
        behind = np.full_like(ahead, np.nan)
        behind[d:] = ahead[:-d]
        both = np.stack([behind, ahead])
        count = (~np.isnan(both)).sum(axis=0)
        total = np.nansum(both, axis=0)
        values.append(total[count > 0] / count[count > 0])
    return values


def track_boxes(track: AnnotatedTrack, size: tuple[int, int]) -> np.ndarray:
    """Return the boxes of a track, or those of its masks if the file has no boxes.

    Returns:
        np.ndarray: (L, 4) ``x, y, width, height``, NaN for frames that do not show it.
    """
    boxes = np.full((len(track.counts), 4), np.nan)
    for t, text in enumerate(track.counts):
        if text is None:
            continue
        own = track.bboxes[t]
        boxes[t] = mask_api.toBbox(dict(size=[*size], counts=text)) if own is None else own
    return boxes


@dataclass
class Histogram:
    """Histogram of values from 0 to 1 in bins of 0.05; the last bin includes 1.

    Attributes:
        bins (np.ndarray): (20,) numbers of values in each bin.
        total (float): Sum of the values.
        above (int): Number of values of 0.75 and more.
    """

    bins: np.ndarray = field(default_factory=lambda: np.zeros(NUM_BINS, np.int64))
    total: float = 0.0
    above: int = 0

    def add(self, values: np.ndarray) -> None:
        """Count (N,) values."""
        places = np.floor(np.round(values * NUM_BINS, DIGITS)).astype(int)
        self.bins += np.bincount(np.clip(places, 0, NUM_BINS - 1), minlength=NUM_BINS)
        self.total += float(values.sum())
        self.above += int((places >= THRESHOLD * NUM_BINS).sum())

    def as_dict(self) -> dict[str, Any]:
        """Return values for JSON; mean and share are None if there is no value."""
        count = int(self.bins.sum())
        return dict(
            count=count,
            mean=self.total / count if count else None,
            share_above=self.above / count if count else None,
            histogram=self.bins.tolist(),
        )


@dataclass
class Coherence:
    """T-BIoU and T-MIoU of a data set.

    Attributes:
        intervals (int): D, greatest distance in frames.
        histograms (dict[str, list[Histogram]]): D histograms of ``'boxes'`` and of ``'masks'``.
        videos (int): Number of videos.
        objects (int): Number of objects.
    """

    intervals: int = 4
    histograms: dict[str, list[Histogram]] = field(default_factory=dict)
    videos: int = 0
    objects: int = 0

    def __post_init__(self) -> None:
        if self.intervals < 1:
            raise ValueError(f'intervals is {self.intervals}; give a distance of 1 frame or more')
        self.histograms = {name: [Histogram() for _ in range(self.intervals)] for name in MEASURES}

    def add_video(self, video: AnnotatedVideo) -> None:
        """Add all objects of a video except crowds."""
        self.videos += 1
        size = video.height, video.width
        for track in video.tracks:
            if track.iscrowd:
                continue
            self.objects += 1
            ious = dict(
                boxes=neighbour_box_ious(track_boxes(track, size), self.intervals),
                masks=neighbour_mask_ious(track.counts, size, self.intervals),
            )
            for name, histograms in self.histograms.items():
                for histogram, values in zip(histograms, frame_values(ious[name])):
                    histogram.add(values)

    def as_dict(self) -> dict[str, Any]:
        """Return values for JSON, by measure and distance."""
        return dict(
            videos=self.videos,
            objects=self.objects,
            threshold=THRESHOLD,
            bin_step=1 / NUM_BINS,
            **{
                name: {
                    str(d): histogram.as_dict() for d, histogram in enumerate(histograms, start=1)
                }
                for name, histograms in self.histograms.items()
            },
        )


def dataset_coherence(file: AnnotationFile, intervals: int = 4) -> Coherence:
    """Return the coherence of all objects of a file.

    Args:
        file (AnnotationFile): The file.
        intervals (int): Greatest distance in frames of the file, which may have only every fifth
            frame of the video.
    """
    coherence = Coherence(intervals)
    for video in file.videos:
        coherence.add_video(video)
    return coherence
