"""Files in the layout of YouTube-VIS, which OVIS shares."""

from typing import Any

from .annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile, Id
from .categories import read_categories
from .fields import (
    LONGEST_VIDEO,
    as_id,
    entry_name,
    index_ids,
    is_whole,
    look_up,
    missing,
    read_crowd,
    read_file_name,
    read_list,
    read_size,
    read_tables,
)
from .frame_fields import COCOVID_FIELDS, RawTrack, finish_file, read_frames
from .problems import Place, Problems


def read_youtube_vis(
    data: Any, problems: Problems, needs_files: bool = True, crowds_as_objects: bool = False
) -> AnnotationFile:
    """Read the content of a YouTube-VIS or OVIS file.

    Args:
        data (dict): The parsed JSON: ``videos``, ``categories`` and, for
            training sets, ``annotations`` (missing, null or empty in
            official valid and test files).
        problems (Problems): Gets what is wrong.
        needs_files (bool): Whether videos must have ``file_names``; with
            False, their ``length`` is enough.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Returns:
        AnnotationFile: All of it; every mask is checked.

    Raises:
        ValueError: In strict use, for the first error.
    """
    tables = read_tables(data, ('videos', 'categories'), problems)
    index = index_ids(tables['videos'], 'videos', problems, 'video')
    videos = [
        read_video(record, number, needs_files, problems)
        for number, record in enumerate(tables['videos'])
    ]
    known = {key: videos[number] for key, number in index.items()}
    pairs, categories = read_categories(tables['categories'], problems)
    annotations = tables['annotations']
    index_ids(annotations, 'annotations', problems, 'annotation')
    tracks: dict[int, list[RawTrack]] = {}
    for number, record in enumerate(annotations):
        place = problems.at(annotation=entry_name(record, number))
        if record.get('video_id') is not None:
            place = place.at(video=as_id(record['video_id']) or record['video_id'])
        video = look_up(record, 'video_id', known, 'videos', place, problems)
        raw = read_track(record, number, video, categories, place, problems)
        raw.track.iscrowd &= not crowds_as_objects
        if video is not None:
            tracks.setdefault(video.position, []).append(raw)
    for position, group in tracks.items():
        read_frames(videos[position], group, problems)
    file = AnnotationFile(problems.file, videos, pairs, 'youtube_vis', len(annotations))
    return finish_file(file, problems)


def read_video(record: dict, number: int, needs_files: bool, problems: Problems) -> AnnotatedVideo:
    """Read one entry of ``videos``."""
    name = entry_name(record, number)
    place = problems.at(video=name)
    files = record.get('file_names')
    length = record.get('length')
    names: list[str] = []
    if isinstance(files, list) and files:
        for frame, each in enumerate(files):
            where = place.at(frame=frame, field='file_names')
            names.append(read_file_name(each, where, problems) or '')
    elif needs_files or length is None or files not in (None, []):
        what = missing(record, 'file_names') if files is None else 'is no list with an entry'
        message = f'{what}; give the name of every frame, or remove the video'
        problems.error('name', message, place.at(field='file_names'), files)
    num_frames = _read_length(length, names, place, problems)
    height, width = read_size(record, place, problems) or (0, 0)
    return AnnotatedVideo(
        name, height, width, names, problems.file, num_frames=num_frames, position=number
    )


def _read_length(length: Any, names: list[str], place: Place, problems: Problems) -> int:
    """Return the number of frames, which must be that of the names."""
    place = place.at(field='length')
    if length is None:
        return len(names)
    if names and (not is_whole(length) or length != len(names)):
        problems.error('length', f'the video has {len(names)} file_names', place, length)
        return len(names)
    if not names and not (is_whole(length) and 1 <= length <= LONGEST_VIDEO):
        message = f'is not a whole number from 1 to {LONGEST_VIDEO}'
        problems.error('length', message, place, length)
        return 0
    return int(length)


def read_track(
    record: dict,
    number: int,
    video: AnnotatedVideo | None,
    categories: dict[str, Id],
    place: Place,
    problems: Problems,
) -> RawTrack:
    """Read one entry of ``annotations``, but not what it has for each frame."""
    category = look_up(record, 'category_id', categories, 'categories', place, problems)
    crowd = read_crowd(record, place, problems)
    lists: dict[str, list | None] = dict.fromkeys(COCOVID_FIELDS)
    length = 0 if video is None else video.length
    if record.get('segmentations') is None:
        message = f'{missing(record, "segmentations")}; a list with one mask a frame is needed'
        problems.error('length', message, place.at(field='segmentations'))
    if video is not None:
        lists = {key: read_list(record, key, length, place, problems) for key in COCOVID_FIELDS}
        _compare_sizes(record, video, place, problems)
    empty: list[None] = [None] * length
    track = AnnotatedTrack(
        entry_name(record, number),
        record.get('category_id', '') if category is None else category,
        [*empty],
        [*empty],
        crowd,
        position=number,
    )
    return RawTrack(track, lists)


def _compare_sizes(record: dict, video: AnnotatedVideo, place: Place, problems: Problems) -> None:
    """Compare the size and length that an annotation states with its video's."""
    for key, kind, expected in (
        ('length', 'length', video.length),
        ('height', 'size', video.height),
        ('width', 'size', video.width),
    ):
        value = record.get(key)
        if value is not None and expected and (not is_whole(value) or value != expected):
            problems.defect(kind, f'the video has {expected}', place.at(field=key), value)
