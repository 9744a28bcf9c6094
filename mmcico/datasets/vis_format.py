"""Files in the layout of YouTube-VIS, which OVIS shares."""
from typing import Dict, List

from .video_annotations import (AnnotatedTrack, AnnotatedVideo,
                                AnnotationFile, Id, read_categories, required)


def read_vis(data: dict, name: str) -> AnnotationFile:
    """Understand the content of a YouTube-VIS or OVIS file.

    Args:
        data (dict): The parsed JSON: ``videos``, ``categories`` and, for
            training sets, ``annotations`` (missing, null or empty in
            official valid and test files).
        name (str): Of the file, for messages.

    Returns:
        AnnotationFile: All of it, nothing decoded.

    Raises:
        ValueError: If a field is missing, a list has not one entry a frame,
            or a video or category is not known.
    """
    videos = [read_video(v, name) for v in required(data, 'videos', name)]
    by_id: Dict[Id, AnnotatedVideo] = {}
    for video in videos:
        if video.id in by_id:
            raise ValueError(f'{name}: video id {video.id!r} occurs twice')
        by_id[video.id] = video
    categories = read_categories(data, name)
    known = {key for key, _ in categories}
    annotations = data.get('annotations') or []
    for record in annotations:
        add_track(record, by_id, known, name)
    return AnnotationFile(name, videos, categories, bool(annotations))


def read_video(record: dict, name: str) -> AnnotatedVideo:
    """One entry of ``videos``."""
    where = f'{name}: video {record.get("id")!r}'
    files = required(record, 'file_names', where)
    length = record.get('length', len(files))
    if not isinstance(files, list) or len(files) != length:
        raise ValueError(
            f"{where}: 'file_names' has {len(files)} entries, 'length' is "
            f'{length}')
    if not files:
        raise ValueError(f"{where} is empty: 'file_names' has no entry; "
                         'remove the video')
    return AnnotatedVideo(
        id=required(record, 'id', where),
        height=int(required(record, 'height', where)),
        width=int(required(record, 'width', where)),
        file_names=list(files),
        source=name)


def add_track(record: dict, videos: Dict[Id, AnnotatedVideo], known: set,
              name: str) -> None:
    """Put one entry of ``annotations`` into its video."""
    where = f'{name}: annotation {record.get("id")!r}'
    video_id = required(record, 'video_id', where)
    if video_id not in videos:
        raise ValueError(f"{where}: 'video_id' {video_id!r} is not in "
                         "'videos'")
    video = videos[video_id]
    where += f' of video {video_id!r}'
    category = required(record, 'category_id', where)
    if category not in known:
        raise ValueError(f"{where}: 'category_id' {category!r} is not in "
                         f"'categories' {sorted(known, key=str)}")
    length = len(video.file_names)
    segmentations = per_frame(record, 'segmentations', length, where)
    bboxes = [None] * length
    if record.get('bboxes') is not None:
        bboxes = per_frame(record, 'bboxes', length, where)
    video.tracks.append(
        AnnotatedTrack(
            id=required(record, 'id', where),
            category_id=category,
            segmentations=segmentations,
            bboxes=bboxes,
            iscrowd=bool(record.get('iscrowd', 0))))


def per_frame(record: dict, key: str, length: int, where: str) -> List:
    """A field with one entry a frame.

    Raises:
        ValueError: If it has more or fewer.
    """
    values = required(record, key, where)
    if not isinstance(values, list) or len(values) != length:
        raise ValueError(
            f"{where}: '{key}' has {len(values)} entries, the video has "
            f'{length} frames')
    return values
