"""Annotated videos as a file of YouTube-VIS' layout, which OVIS shares."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycocotools import mask as mask_api

from ..video_annotations import AnnotatedTrack, AnnotatedVideo, Id
from .lists_writer import ListsWriter

PathLike = str | Path
Categories = list[dict[str, Any]]


@dataclass
class Written:
    """What a conversion wrote.

    Attributes:
        videos (int): Videos.
        frames (int): Their frames.
        objects (int): Objects with a mask.
        unseen (int): Objects left out, as no frame has a mask of them.
    """

    videos: int = 0
    frames: int = 0
    objects: int = 0
    unseen: int = 0


def mask_entry(counts: bytes, video: AnnotatedVideo) -> dict[str, Any]:
    """Compressed RLE that JSON can hold."""
    return dict(size=[video.height, video.width], counts=counts.decode('ascii'))


def frame_entries(track: AnnotatedTrack, video: AnnotatedVideo) -> Iterator[dict[str, Any]]:
    """Mask, box and area of an object for each frame.

    Yields:
        dict: ``segmentation`` (compressed RLE), ``bbox`` (xywh, the
        source's, or the mask's if it has none) and ``area`` (pixels of the
        mask); empty where the object is not seen.
    """
    for counts, box in zip(track.counts, track.bboxes):
        if counts is None:
            yield {}
            continue
        rle = dict(size=[video.height, video.width], counts=counts)
        yield dict(
            segmentation=mask_entry(counts, video),
            bbox=list(box or mask_api.toBbox(rle).tolist()),
            area=int(mask_api.area(rle)),
        )


def track_record(track: AnnotatedTrack, video: AnnotatedVideo, key: Id) -> dict[str, Any]:
    """Entry of ``annotations`` for one object.

    Args:
        track (AnnotatedTrack): The object.
        video (AnnotatedVideo): Its video.
        key (int | str): Its id, unique in the file.

    Returns:
        dict: ``None`` in all lists where the object is not seen.
    """
    frames = list(frame_entries(track, video))
    record = dict(
        id=key,
        video_id=video.id,
        category_id=track.category_id,
        iscrowd=int(track.iscrowd),
        height=video.height,
        width=video.width,
        length=len(video.file_names),
        segmentations=[frame.get('segmentation') for frame in frames],
        bboxes=[frame.get('bbox') for frame in frames],
        areas=[frame.get('area') for frame in frames],
    )
    if track.occlusion is not None:
        record['occlusion'] = [
            word if frame else None for word, frame in zip(track.occlusion, frames)
        ]
    return record


def video_record(video: AnnotatedVideo) -> dict[str, Any]:
    """Entry of ``videos``."""
    return dict(
        id=video.id,
        height=video.height,
        width=video.width,
        length=len(video.file_names),
        file_names=list(video.file_names),
    )


def write_vis(
    path: PathLike,
    videos: Iterable[AnnotatedVideo],
    categories: Callable[[], Categories],
    info: dict[str, Any],
) -> Written:
    """Write a file of YouTube-VIS' layout.

    Objects whose id is a positive whole number not yet used keep it; others
    get the next free one, as evaluation tools take an object 0 for no
    object.

    Args:
        path (str | Path): File to write.
        videos (Iterable[AnnotatedVideo]): Read one by one; ``category_id``
            of their objects are ids of ``categories``.
        categories (Callable): Called at the end, when all classes have been
            met: entries of ``categories``.
        info (dict): The field ``info``.

    Returns:
        Written: Numbers.
    """
    done = Written()
    numbers = FreeNumbers()
    with ListsWriter(path, ['videos', 'annotations']) as file:
        for video in videos:
            file.add('videos', video_record(video))
            done.videos += 1
            done.frames += len(video.file_names)
            for track in video.tracks:
                if not any(track.counts):
                    done.unseen += 1
                    continue
                key = numbers.take(track.id)
                file.add('annotations', track_record(track, video, key))
                done.objects += 1
        file.head.update(info=info, licenses=[], categories=categories())
    return done


class FreeNumbers:
    """Distinct whole numbers from 1, those that are wished for if free."""

    def __init__(self) -> None:
        self._used: set = set()
        self._next = 1

    def take(self, wish: Id) -> int:
        """The wished number, or the lowest that is still free."""
        if type(wish) is not int or wish < 1 or wish in self._used:
            while self._next in self._used:
                self._next += 1
            wish = self._next
        self._used.add(wish)
        return wish
