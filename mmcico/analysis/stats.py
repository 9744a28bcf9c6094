"""Numbers of an annotation file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as mask_api

from mmcico.datasets.video_annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile

#: mean areas at which the official tools change from small to medium to large
SMALL_BELOW, MEDIUM_UP_TO = 128**2, 256**2


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Smallest, mean, median and largest value, None if there is none.

    >>> spread([1, 2, 6])
    {'min': 1.0, 'mean': 3.0, 'median': 2.0, 'max': 6.0}
    """
    array = np.asarray(list(values), dtype=float)
    if not len(array):
        return None
    return dict(
        min=float(array.min()),
        mean=float(array.mean()),
        median=float(np.median(array)),
        max=float(array.max()),
    )


def dataset_stats(file: AnnotationFile) -> dict[str, Any]:
    """Everything that is counted.

    Args:
        file (AnnotationFile): The file. Crowds are counted, and left out of
            all other numbers.

    Returns:
        dict: For JSON; see ``docs/en/dataset_tools.md``.
    """
    pairs = [(video, track) for video in file.videos for track in video.tracks if not track.iscrowd]
    tracks = [track_stats(track, video) for video, track in pairs]
    every = [track for video in file.videos for track in video.tracks]
    lengths = [len(video.file_names) for video in file.videos]
    per_frame = objects_per_frame(file.videos)
    return dict(
        file=file.name,
        videos=len(file.videos),
        frames=sum(lengths),
        objects=len(tracks),
        masks=sum(track['seen'] for track in tracks),
        crowds=len(every) - len(tracks),
        videos_without_objects=sum(
            not any(not track.iscrowd for track in video.tracks) for video in file.videos
        ),
        frames_without_objects=sum(count == 0 for count in per_frame),
        length=spread(lengths),
        sizes=count_sizes(file.videos),
        objects_per_video=spread(
            sum(not track.iscrowd for track in video.tracks) for video in file.videos
        ),
        objects_per_frame=spread(per_frame),
        classes=class_stats(file, [track for _, track in pairs], tracks),
        visibility=visibility_stats(tracks),
        occlusion=occlusion_words([track for _, track in pairs]),
        area=area_stats(tracks),
    )


def track_stats(track: AnnotatedTrack, video: AnnotatedVideo) -> dict:
    """Numbers of one object.

    Returns:
        dict: ``seen``, ``share`` of the frames, ``gaps`` in which it is away
        and comes back, ``from_start`` and ``to_end`` of the video, mean
        ``area`` in pixels and ``area_share`` of the frame.
    """
    seen = np.array([text is not None for text in track.counts])
    places = np.flatnonzero(seen)
    size = [video.height, video.width]
    areas = mask_api.area(
        [dict(size=size, counts=text) for text in track.counts if text is not None]
    )
    area = float(np.mean(areas)) if len(places) else None
    return dict(
        seen=len(places),
        share=float(seen.mean()),
        gaps=int((np.diff(places) > 1).sum()),
        from_start=bool(seen[0]),
        to_end=bool(seen[-1]),
        area=area,
        area_share=None if area is None else area / (size[0] * size[1]),
    )


def objects_per_frame(videos: Sequence[AnnotatedVideo]) -> list[int]:
    """Objects that are seen in each frame of each video."""
    return [
        sum(track.seen(frame) for track in video.tracks if not track.iscrowd)
        for video in videos
        for frame in range(len(video.file_names))
    ]


def count_sizes(videos: Sequence[AnnotatedVideo]) -> list[dict]:
    """Sizes and their numbers of videos, the most frequent first."""
    count = Counter((video.height, video.width) for video in videos)
    return [
        dict(height=size[0], width=size[1], videos=number)
        for size, number in sorted(count.items(), key=lambda item: (-item[1], item[0]))
    ]


def class_stats(
    file: AnnotationFile, tracks: Sequence[AnnotatedTrack], numbers: Sequence[dict]
) -> list[dict]:
    """Objects, videos and masks of each class, in the order of the file."""
    objects, masks, videos = Counter(), Counter(), Counter()  # type: ignore
    for track, number in zip(tracks, numbers):
        objects[track.category_id] += 1
        masks[track.category_id] += number['seen']
    for video in file.videos:
        videos.update({track.category_id for track in video.tracks if not track.iscrowd})
    return [
        dict(id=key, name=name, objects=objects[key], videos=videos[key], masks=masks[key])
        for key, name in file.categories
    ]


def visibility_stats(tracks: Sequence[dict]) -> dict[str, Any]:
    """How much of their video objects are seen in."""
    seen = [track for track in tracks if track['seen']]
    return dict(
        share_of_frames=spread(track['share'] for track in tracks),
        in_all_frames=sum(track['share'] == 1 for track in tracks),
        in_no_frame=len(tracks) - len(seen),
        come_back=sum(track['gaps'] > 0 for track in seen),
        enter_later=sum(not track['from_start'] for track in seen),
        leave_early=sum(not track['to_end'] for track in seen),
    )


def occlusion_words(tracks: Sequence[AnnotatedTrack]) -> dict[str, int]:
    """OVIS' words and their numbers of masks; empty without the field."""
    return dict(
        sorted(
            Counter(
                str(word)
                for track in tracks
                for frame, word in enumerate(track.occlusion or [])
                if word is not None and track.seen(frame)
            ).items()
        )
    )


def area_stats(tracks: Sequence[dict]) -> dict[str, Any]:
    """Mean areas of objects, over the frames that they are seen in."""
    areas = [track['area'] for track in tracks if track['seen']]
    return dict(
        pixels=spread(areas),
        share_of_frame=spread(track['area_share'] for track in tracks if track['seen']),
        small=sum(area < SMALL_BELOW for area in areas),
        medium=sum(SMALL_BELOW <= area <= MEDIUM_UP_TO for area in areas),
        large=sum(area > MEDIUM_UP_TO for area in areas),
    )
