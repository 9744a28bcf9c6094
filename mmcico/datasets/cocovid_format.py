"""CocoVID files, which MMTracking and MMDetection convert data sets to."""
from typing import Dict, List

from .video_annotations import (AnnotatedTrack, AnnotatedVideo,
                                AnnotationFile, Id, read_categories, required)


def is_cocovid(data: dict) -> bool:
    """Whether frames are entries of their own in a list ``images``."""
    return 'images' in data


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
        ValueError: If a field is missing or an id is not known.
    """
    images = sort_images(data, name)
    videos, place = [], {}
    for record in required(data, 'videos', name):
        key = required(record, 'id', f'{name}: a video')
        frames = images.get(key, [])
        if not frames:
            raise ValueError(f'{name}: video {key!r} is empty: no entry of '
                             "'images' has its id; remove the video")
        videos.append(
            AnnotatedVideo(
                id=key,
                height=int(required(frames[0], 'height', name)),
                width=int(required(frames[0], 'width', name)),
                file_names=[f['file_name'] for f in frames],
                source=name))
        place.update({f['id']: (videos[-1], t) for t, f in enumerate(frames)})
    categories = read_categories(data, name)
    known = {key for key, _ in categories}
    tracks: Dict[tuple, AnnotatedTrack] = {}
    annotations = data.get('annotations') or []
    for record in annotations:
        add_annotation(record, place, known, tracks, name)
    return AnnotationFile(name, videos, categories, bool(annotations))


def sort_images(data: dict, name: str) -> Dict[Id, List[dict]]:
    """Frames of each video in order."""
    by_video: Dict[Id, List[dict]] = {}
    for record in data['images']:
        where = f'{name}: image {record.get("id")!r}'
        for key in ('id', 'file_name', 'frame_id'):
            required(record, key, where)
        by_video.setdefault(required(record, 'video_id', where),
                            []).append(record)
    for frames in by_video.values():
        frames.sort(key=lambda record: record['frame_id'])
    return by_video


def add_annotation(record: dict, place: Dict[Id, tuple], known: set,
                   tracks: Dict[tuple, AnnotatedTrack], name: str) -> None:
    """Put an object in a frame into its track, a new one if need be."""
    where = f'{name}: annotation {record.get("id")!r}'
    image = required(record, 'image_id', where)
    if image not in place:
        raise ValueError(f"{where}: 'image_id' {image!r} is not in 'images'")
    video, frame = place[image]
    category = required(record, 'category_id', where)
    if category not in known:
        raise ValueError(f"{where}: 'category_id' {category!r} is not in "
                         f"'categories' {sorted(known, key=str)}")
    key = (video.id, required(record, 'instance_id', where))
    if key not in tracks:
        length = len(video.file_names)
        tracks[key] = AnnotatedTrack(key[1], category, [None] * length,
                                     [None] * length,
                                     bool(record.get('iscrowd', 0)))
        video.tracks.append(tracks[key])
    tracks[key].segmentations[frame] = required(record, 'segmentation', where)
    tracks[key].bboxes[frame] = record.get('bbox')
