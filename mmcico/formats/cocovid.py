"""CocoVID files: every frame is an entry of ``images``.

MMTracking and MMDetection convert data sets to this layout. Exports of CVAT
(``attributes.track_id``) and files of TAO (``frame_index``, ``track_id``) are
understood, too.
"""

from pathlib import PurePosixPath
from typing import Any

from mmcico.utils.natural_order import natural_key

from .annotations import AnnotatedVideo, AnnotationFile
from .categories import read_categories
from .cocovid_tracks import TrackBuilder, track_id
from .fields import (
    as_id,
    entry_name,
    id_key,
    index_ids,
    is_whole,
    look_up,
    read_file_name,
    read_size,
    read_tables,
)
from .frame_fields import finish_file, read_frames
from .problems import Problems


def is_cocovid(data: Any) -> bool:
    """Return whether frames are entries of their own in a list ``images``."""
    if not isinstance(data, dict) or 'images' not in data:
        return False
    videos = data.get('videos')
    return not isinstance(videos, list) or not any(
        isinstance(video, dict) and 'file_names' in video for video in videos
    )


def with_videos(data: dict) -> dict:
    """Return CVAT's export of tracks with a video for each folder of images.

    A file with a list ``videos``, or without tracks, is returned as it is.
    """
    images, annotations = data.get('images'), data.get('annotations')
    if data.get('videos') is not None or not isinstance(images, list):
        return data
    if not isinstance(annotations, list) or not all(
        isinstance(each, dict) and isinstance(each.get('file_name'), str) for each in images
    ):
        return data
    if not any(isinstance(each, dict) and track_id(each) is not None for each in annotations):
        return data
    ordered = sorted(images, key=lambda each: natural_key(each['file_name']))
    folders: dict[str, list[dict]] = {}
    for image in ordered:
        folder = str(PurePosixPath(image['file_name']).parent)
        folders.setdefault(folder, []).append(image)
    return dict(
        data,
        videos=[dict(id=v, name=folder) for v, folder in enumerate(folders, 1)],
        images=[
            dict(image, video_id=v, frame_id=t)
            for v, group in enumerate(folders.values(), 1)
            for t, image in enumerate(group)
        ],
    )


def read_cocovid(data: Any, problems: Problems, crowds_as_objects: bool = False) -> AnnotationFile:
    """Read the content of a CocoVID file.

    Args:
        data (dict): The parsed JSON: ``videos``, ``images`` with
            ``video_id`` and ``frame_id``, ``categories`` and
            ``annotations`` with ``image_id`` and ``instance_id``.
        problems (Problems): Gets what is wrong.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Returns:
        AnnotationFile: The same objects as tracks. Single frames of a track
        that are crowds are left out; a track is a crowd if all of its frames
        are.

    Raises:
        ValueError: In strict use, for the first error.
    """
    tables = read_tables(
        with_videos(data) if isinstance(data, dict) else data,
        ('videos', 'images', 'categories'),
        problems,
    )
    groups = group_images(tables, problems)
    index = index_ids(tables['images'], 'images', problems)
    first = {id(tables['images'][number]): key for key, number in index.items()}
    videos, frames = [], {}
    for number, (record, group) in enumerate(zip(tables['videos'], groups)):
        video = read_video(record, number, group, problems)
        videos.append(video)
        frames.update(
            {first[id(image)]: (video, t) for t, image in enumerate(group) if id(image) in first}
        )
    pairs, categories = read_categories(tables['categories'], problems)
    _check_annotation_ids(tables['annotations'], problems)
    builder = TrackBuilder(frames, categories, problems, crowds_as_objects)
    for number, record in enumerate(tables['annotations']):
        builder.add(record, number)
    for video in videos:
        read_frames(video, builder.tracks_of(video), problems)
    num = len(tables['annotations'])
    return finish_file(AnnotationFile(problems.file, videos, pairs, 'cocovid', num), problems)


def group_images(tables: dict[str, list[dict]], problems: Problems) -> list[list[dict]]:
    """Return the images of each video in the order of ``frame_id``."""
    index = index_ids(tables['videos'], 'videos', problems, 'video')
    groups: list[list[dict]] = [[] for _ in tables['videos']]
    for number, image in enumerate(tables['images']):
        place = problems.at(file_name=image.get('file_name'))
        frame = frame_number(image)
        if not is_whole(frame):
            field = f'images[{number}].frame_id'
            problems.error('order', 'is not a whole number', place.at(field=field), frame)
        where = place.at(field=f'images[{number}]')
        home = look_up(image, 'video_id', index, 'videos', where, problems)
        if home is not None:
            groups[home].append(image)
    for group in groups:
        group.sort(key=frame_order)
    return groups


def frame_number(image: dict) -> Any:
    """Return ``frame_id``, which TAO calls ``frame_index``."""
    value = image.get('frame_id')
    return image.get('frame_index') if value is None else value


def frame_order(image: dict) -> float:
    """Return the number of a frame; those without one come last."""
    frame = frame_number(image)
    return float(frame) if is_whole(frame) else float('inf')


def read_video(record: dict, number: int, images: list[dict], problems: Problems) -> AnnotatedVideo:
    """Read an entry of ``videos`` and its images.

    Images without a size have the video's.
    """
    name = entry_name(record, number)
    place = problems.at(video=name)
    if not images:
        message = "the video is empty: no entry of 'images' has its id; remove the video"
        problems.error('length', message, place)
    names, size = [], None
    for frame, image in enumerate(images):
        file_name = image.get('file_name')
        where = place.at(frame=frame, file_name=file_name if isinstance(file_name, str) else None)
        names.append(read_file_name(file_name, where.at(field='file_name'), problems) or '')
        order = frame_order(image)
        if frame and order == frame_order(images[frame - 1]) < float('inf'):
            problems.error(
                'order', 'is there twice', where.at(field='frame_id'), frame_number(image)
            )
        own = {k: record.get(k) if image.get(k) is None else image[k] for k in ('height', 'width')}
        found = read_size({k: v for k, v in own.items() if v is not None}, where, problems)
        size = size or found
        if found != size and found is not None:
            problems.error(
                'size',
                f'frame 0 has {size}; the frames of a video must have one size',
                where.at(field='height, width'),
                found,
            )
    height, width = size or (0, 0)
    return AnnotatedVideo(
        name, height, width, names, problems.file, num_frames=len(names), position=number
    )


def _check_annotation_ids(annotations: list[dict], problems: Problems) -> None:
    """Report repeated ids of annotations, which nothing here needs."""
    seen: set[str] = set()
    for number, record in enumerate(annotations):
        key = as_id(record.get('id'))
        place = problems.at(
            annotation=entry_name(record, number), field=f'annotations[{number}].id'
        )
        if key is None and record.get('id') is not None:
            problems.defect(
                'id', 'is no id; a whole number or a text is needed', place, record['id']
            )
        elif key is not None and id_key(key) in seen:
            problems.defect('id', 'is there twice; ids must be distinct', place, key)
        seen.add(id_key(key))
