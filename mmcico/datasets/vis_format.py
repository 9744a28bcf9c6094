"""Files in the layout of YouTube-VIS, which OVIS shares."""

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

#: fields of an annotation with one entry a frame, checked to be so
FRAME_LISTS = ('segmentations', 'bboxes', 'areas', 'occlusion')


def read_vis(data: dict, name: str) -> AnnotationFile:
    """Understand the content of a YouTube-VIS or OVIS file.

    Args:
        data (dict): The parsed JSON: ``videos``, ``categories`` and, for
            training sets, ``annotations`` (missing, null or empty in
            official valid and test files).
        name (str): Of the file, for messages.

    Returns:
        AnnotationFile: All of it; masks are checked and compressed.

    Raises:
        ValueError: If a field is missing, a list has not one entry a frame,
            a mask has another size, or a video or category is not known.
    """
    videos = {key: read_video(record, name) for key, record in video_records(data, name).items()}
    categories = read_categories(data, name)
    known = {id_key(key): key for key, _ in categories}
    annotations = read_annotations_list(data, name)
    by_id(annotations, 'annotation', name)
    for record in annotations:
        add_track(record, videos, known, name)
    return AnnotationFile(name, list(videos.values()), categories)


def read_video(record: dict, name: str) -> AnnotatedVideo:
    """One entry of ``videos``.

    Raises:
        ValueError: If it has no frames, or their number is not ``length``.
    """
    where = f'{name}: video {record["id"]!r}'
    files = required_list(record, 'file_names', where)
    if not files:
        raise ValueError(f"{where} is empty: field 'file_names' has no entry; remove the video")
    length = record.get('length')
    if length is not None and length != len(files):
        raise ValueError(
            f"{where}: field 'file_names' has {len(files)} entries, 'length' is {length}"
        )
    height, width = read_size(record, where)
    return AnnotatedVideo(record['id'], height, width, [str(file) for file in files], name)


def add_track(
    record: dict, videos: dict[str, AnnotatedVideo], known: dict[str, Id], name: str
) -> None:
    """Put one entry of ``annotations`` into its video.

    Raises:
        ValueError: Naming file, video, annotation, frame and field.
    """
    where = f'{name}: annotation {record["id"]!r}'
    video = look_up(videos, record, 'video_id', 'videos', where)
    where = f'{name}: video {video.id!r}, annotation {record["id"]!r}'
    category = look_up(known, record, 'category_id', 'categories', where)
    required(record, 'segmentations', where)
    lists = {key: per_frame(record, key, len(video.file_names), where) for key in FRAME_LISTS}

    def place(frame: int, key: str) -> str:
        return f"{video.where(frame)}, annotation {record['id']!r}, field '{key}'"

    video.tracks.append(
        AnnotatedTrack(
            id=record['id'],
            category_id=category,
            counts=[
                compress_mask(mask, video.height, video.width, place(t, 'segmentations'))
                for t, mask in enumerate(lists['segmentations'])
            ],
            bboxes=[read_bbox(box, place(t, 'bboxes')) for t, box in enumerate(lists['bboxes'])],
            iscrowd=read_crowd(record, where),
            occlusion=record.get('occlusion'),
        )
    )


def per_frame(record: dict, key: str, length: int, where: str) -> list[Any]:
    """A field with one entry a frame, all None if it is not there.

    Raises:
        ValueError: If it has more or fewer.
    """
    values = record.get(key)
    if values is None:
        return [None] * length
    if not isinstance(values, list) or len(values) != length:
        count = len(values) if isinstance(values, list) else 'no'
        raise ValueError(
            f"{where}: field '{key}' has {count} entries, the video has "
            f'{length} frames; give one a frame, null where the object is '
            'not seen'
        )
    return values
