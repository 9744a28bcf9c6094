"""CocoVID files, which MMTracking and MMDetection convert data sets to."""

from typing import Any

from .fields import (
    by_id,
    id_key,
    look_up,
    read_annotations_list,
    read_bbox,
    read_categories,
    read_crowd,
    read_size,
    required,
    required_list,
    video_records,
)
from .masks import compress_mask
from .video_annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile, Id

#: image key -> its video and its position there
Places = dict[str, tuple[AnnotatedVideo, int]]


def is_cocovid(data: dict) -> bool:
    """Whether frames are entries of their own in a list ``images``."""
    videos: Any = data.get('videos')
    official = isinstance(videos, list) and any(
        isinstance(video, dict) and 'file_names' in video for video in videos
    )
    return 'images' in data and not official


def read_cocovid(data: dict, name: str) -> AnnotationFile:
    """Understand the content of a CocoVID file.

    Args:
        data (dict): The parsed JSON: ``videos``, ``images`` with
            ``video_id`` and ``frame_id``, ``categories`` and
            ``annotations`` with ``image_id`` and ``instance_id``.
        name (str): Of the file, for messages.

    Returns:
        AnnotationFile: The same videos as tracks.

    Raises:
        ValueError: If a field is missing, an id is not known, frames of a
            video differ in size, or an object changes its class.
    """
    records = video_records(data, name)
    images = frames_of_videos(data, records, name)
    videos = {key: read_video(record, images[key], name) for key, record in records.items()}
    places = {
        id_key(image['id']): (videos[key], t)
        for key, frames in images.items()
        for t, image in enumerate(frames)
    }
    categories = read_categories(data, name)
    known = {id_key(key): key for key, _ in categories}
    tracks: dict[tuple[int, str], AnnotatedTrack] = {}
    for number, record in enumerate(read_annotations_list(data, name)):
        add_annotation(record, number, places, known, tracks)
    return AnnotationFile(name, list(videos.values()), categories)


def frames_of_videos(data: dict, videos: dict[str, dict], name: str) -> dict[str, list[dict]]:
    """Images of each video in the order of ``frame_id``.

    Raises:
        ValueError: If a video has none, or two with the same ``frame_id``.
    """
    frames: dict[str, list[dict]] = {key: [] for key in videos}
    images = by_id(required_list(data, 'images', name), 'image', name)
    for key, record in images.items():
        where = f'{name}: image {key}'
        look_up(videos, record, 'video_id', 'videos', where)
        required(record, 'file_name', where)
        if not isinstance(required(record, 'frame_id', where), int):
            raise ValueError(
                f"{where}: field 'frame_id' is {record['frame_id']!r}, not a whole number"
            )
        frames[id_key(record['video_id'])].append(record)
    for key, group in frames.items():
        group.sort(key=lambda record: record['frame_id'])
        ids = [record['frame_id'] for record in group]
        if not ids:
            raise ValueError(
                f"{name}: video {key} is empty: no entry of 'images' has its id; remove the video"
            )
        if len(set(ids)) != len(ids):
            raise ValueError(f"{name}: video {key}: field 'frame_id' of its images repeats: {ids}")
    return frames


def read_video(record: dict, frames: list[dict], name: str) -> AnnotatedVideo:
    """One entry of ``videos``; images without a size have the video's.

    Raises:
        ValueError: If the frames differ in size.
    """
    where = f'{name}: video {record["id"]!r}'
    sizes = [
        read_size({**record, **frame}, f'{where}, frame {t} ({frame["file_name"]})')
        for t, frame in enumerate(frames)
    ]
    for t, size in enumerate(sizes):
        if size != sizes[0]:
            raise ValueError(
                f'{where}, frame {t} ({frames[t]["file_name"]}): fields '
                f"'height' and 'width' are {size}, those of frame 0 "
                f'{sizes[0]}; the frames of a video must have one size'
            )
    return AnnotatedVideo(record['id'], *sizes[0], [str(f['file_name']) for f in frames], name)


def add_annotation(
    record: Any,
    number: int,
    places: Places,
    known: dict[str, Id],
    tracks: dict[tuple[int, str], AnnotatedTrack],
) -> None:
    """Put an object in a frame into its track, a new one if need be.

    Raises:
        ValueError: Naming file, video, annotation, frame and field.
    """
    name = next(iter(places.values()))[0].source
    where = f'{name}: annotation no. {number}'
    video, frame = look_up(places, record, 'image_id', 'images', where)
    where = f'{video.where(frame)}, annotation {record.get("id", number)!r}'
    category = look_up(known, record, 'category_id', 'categories', where)
    instance = required(record, 'instance_id', where)
    key = (id(video), id_key(instance))
    if key not in tracks:
        empty: list[None] = [None] * len(video.file_names)
        tracks[key] = AnnotatedTrack(instance, category, list(empty), list(empty))
        video.tracks.append(tracks[key])
    track = tracks[key]
    if track.category_id != category:
        raise ValueError(
            f"{where}: field 'category_id' of instance "
            f'{instance!r} is {category!r}, before it was '
            f'{track.category_id!r}'
        )
    if track.seen(frame):
        raise ValueError(f"{where}: field 'instance_id' {instance!r} occurs twice in the frame")
    if 'segmentation' not in record:
        raise ValueError(
            f"{where} has no field 'segmentation'; data of boxes "
            'alone, as for tracking, have no masks to learn'
        )
    track.iscrowd |= read_crowd(record, where)
    track.counts[frame] = compress_mask(
        record['segmentation'], video.height, video.width, f"{where}, field 'segmentation'"
    )
    track.bboxes[frame] = read_bbox(record.get('bbox'), f"{where}, field 'bbox'")
    if record.get('occlusion') is not None:
        track.occlusion = track.occlusion or [None] * len(video.file_names)
        track.occlusion[frame] = record['occlusion']
