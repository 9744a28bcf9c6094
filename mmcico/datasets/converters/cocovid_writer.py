"""Annotated videos as CocoVID, as MMTracking's converters write it."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from ..video_annotations import AnnotatedVideo
from .lists_writer import ListsWriter
from .vis_writer import Categories, FreeNumbers, PathLike, Written, frame_entries


def write_cocovid(
    path: PathLike,
    videos: Iterable[AnnotatedVideo],
    categories: Callable[[], Categories],
    info: dict[str, Any],
) -> Written:
    """Write a CocoVID file.

    Images and objects in frames are numbered from 1; ``instance_id`` is the
    object's id where that is a positive whole number not yet used, else the
    next free one, as MMDetection takes an ``instance_id`` 0 for a missing one.

    Args:
        path (str | Path): File to write.
        videos (Iterable[AnnotatedVideo]): Read one by one.
        categories (Callable): Entries of ``categories``, asked for at the
            end.
        info (dict): The field ``info``.

    Returns:
        Written: Numbers; ``objects`` counts instances, not their frames.
    """
    done = Written()
    numbers = FreeNumbers()
    with ListsWriter(path, ['videos', 'images', 'annotations']) as file:
        for video in videos:
            _add_video(file, video, numbers, done)
        file.head.update(info=info, categories=categories())
    return done


def _add_video(
    file: ListsWriter, video: AnnotatedVideo, numbers: FreeNumbers, done: Written
) -> None:
    """Add a video, its frames and what is seen in them."""
    first_image = file.counts['images'] + 1
    folder = str(PurePosixPath(video.file_names[0]).parent)
    size = dict(height=video.height, width=video.width)
    file.add(
        'videos',
        dict(
            id=video.id,
            name=str(video.id) if folder == '.' else folder,
            length=len(video.file_names),
            **size,
        ),
    )
    for t, name in enumerate(video.file_names):
        file.add(
            'images',
            dict(id=first_image + t, video_id=video.id, frame_id=t, file_name=name, **size),
        )
    done.videos += 1
    done.frames += len(video.file_names)
    for track in video.tracks:
        if not any(track.counts):
            done.unseen += 1
            continue
        done.objects += 1
        instance = numbers.take(track.id)
        for t, entry in enumerate(frame_entries(track, video)):
            if not entry:
                continue
            if track.occlusion is not None:
                entry['occlusion'] = track.occlusion[t]
            file.add(
                'annotations',
                dict(
                    id=file.counts['annotations'] + 1,
                    video_id=video.id,
                    image_id=first_image + t,
                    instance_id=instance,
                    category_id=track.category_id,
                    iscrowd=int(track.iscrowd),
                    **entry,
                ),
            )
