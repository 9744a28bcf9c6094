"""CocoVID files: every frame is an entry of ``images``.

MMTracking and MMDetection convert data sets to this layout. Exports of CVAT
(``attributes.track_id``) and files of TAO (``frame_index``, ``track_id``) are read, too.
"""

from pathlib import PurePosixPath
from typing import Any

from mmcico.utils.files import natural_key

from .annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile, Id
from .categories import read_categories
from .fields import (
    NO_ID,
    as_id,
    entry_name,
    id_key,
    index_ids,
    is_whole,
    look_up,
    read_crowd,
    read_file_name,
    read_size,
    read_tables,
)
from .problems import Place, Problems
from .youtube_vis import COCOVID_FIELDS, RawTrack, finish_file, read_frames

#: id of an image -> its video and its position there
Frames = dict[str, tuple[AnnotatedVideo, int]]


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

    A file with a list ``videos``, with images that have a ``video_id``, or without tracks is
    returned as it is.
    """
    images, annotations = data.get('images'), data.get('annotations')
    if data.get('videos') is not None or not isinstance(images, list):
        return data
    if not isinstance(annotations, list) or not all(
        isinstance(each, dict)
        and isinstance(each.get('file_name'), str)
        and each.get('video_id') is None
        for each in images
    ):
        return data
    if not any(isinstance(each, dict) and track_id(each) is not None for each in annotations):
        return data
    folders: dict[str, list[dict]] = {}
    for image in sorted(images, key=lambda each: natural_key(each['file_name'])):
        folder = str(PurePosixPath(image['file_name']).parent)
        group = folders.setdefault(folder, [])
        video = group[0]['video_id'] if group else len(folders)
        group.append(dict(image, video_id=video, frame_id=len(group)))
    return dict(
        data,
        videos=[dict(id=v, name=folder) for v, folder in enumerate(folders, 1)],
        images=[image for group in folders.values() for image in group],
    )


def track_id(record: dict) -> Any:
    """Return the id of an annotation's object, None if it has none."""
    attributes = record.get('attributes')
    inner = attributes.get('track_id') if isinstance(attributes, dict) else None
    found = (record.get('instance_id'), record.get('track_id'), inner)
    return next((each for each in found if each is not None), None)


def read_cocovid(data: Any, problems: Problems, crowds_as_objects: bool = False) -> AnnotationFile:
    """Read the content of a CocoVID file, whose objects become tracks.

    Single frames of a track that are crowds are left out; a track is a crowd if all of its frames
    are.

    Args:
        data (dict): The parsed JSON: ``videos``, ``images`` with ``video_id`` and ``frame_id``,
            ``categories`` and ``annotations`` with ``image_id`` and ``instance_id``.
        problems (Problems): Gets what is wrong.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Raises:
        ValueError: In strict use, for the first error.
    """
    data = with_videos(data) if isinstance(data, dict) else data
    tables = read_tables(data, ('videos', 'images', 'categories'), problems)
    groups = _group_images(tables, problems)
    images, annotations = tables['images'], tables['annotations']
    keys = {number: key for key, number in index_ids(images, 'images', problems).items()}
    videos: list[AnnotatedVideo] = []
    frames: Frames = {}
    for number, (record, group) in enumerate(zip(tables['videos'], groups)):
        video = _read_video(record, number, [images[n] for n in group], problems)
        videos.append(video)
        frames.update({keys[n]: (video, t) for t, n in enumerate(group) if n in keys})
    pairs, categories = read_categories(tables['categories'], problems)
    index_ids(annotations, 'annotations', problems, 'annotation', needed=False)
    tracks = _build_tracks(annotations, frames, categories, problems, crowds_as_objects)
    for video in videos:
        own = list(tracks.get(video.position, {}).values())
        for raw in own:
            _fill_lists(raw, video, problems)
        read_frames(video, own, problems)
    file = AnnotationFile(problems.file, videos, pairs, 'cocovid', len(annotations))
    return finish_file(file, problems)


def _group_images(tables: dict[str, list[dict]], problems: Problems) -> list[list[int]]:
    """Return the positions of the images of each video in the order of ``frame_id``."""
    index = index_ids(tables['videos'], 'videos', problems, 'video')
    groups: list[list[int]] = [[] for _ in tables['videos']]
    for number, image in enumerate(tables['images']):
        name = image.get('file_name')
        name = name if isinstance(name, str) else None
        place = problems.at(file_name=name, field=f'images[{number}]')
        frame = _frame_number(image)
        if not is_whole(frame):
            where = place.at(field=f'{place.field}.frame_id')
            problems.error('order', 'is not a whole number', where, frame)
        home = look_up(image, 'video_id', index, 'videos', place, problems)
        if home is not None:
            groups[home].append(number)
    return [sorted(group, key=lambda n: _frame_order(tables['images'][n])) for group in groups]


def _frame_number(image: dict) -> Any:
    """Return ``frame_id``, which TAO calls ``frame_index``."""
    value = image.get('frame_id')
    return image.get('frame_index') if value is None else value


def _frame_order(image: dict) -> float:
    """Return the number of a frame; those without one come last."""
    frame = _frame_number(image)
    return float(frame) if is_whole(frame) else float('inf')


def _read_video(
    record: dict, number: int, images: list[dict], problems: Problems
) -> AnnotatedVideo:
    """Read an entry of ``videos`` and its images; images without a size have the video's."""
    name = entry_name(record, number)
    place = problems.at(video=name)
    if not images:
        message = "the video is empty: no entry of 'images' has its id; remove the video"
        problems.error('length', message, place)
    names, size = [], None
    for frame, image in enumerate(images):
        file_name = image.get('file_name')
        where = place.at(frame=frame, file_name=file_name if isinstance(file_name, str) else None)
        names.append(read_file_name(file_name, where.at(field='file_name'), problems))
        order = _frame_order(image)
        if frame and order == _frame_order(images[frame - 1]) < float('inf'):
            place_id = where.at(field='frame_id')
            problems.error('order', 'is there twice', place_id, _frame_number(image))
        sides = ('height', 'width')
        own = {k: v for k in sides for v in (record.get(k), image.get(k)) if v is not None}
        found = read_size(own, where, problems)
        size = size or found
        if found != size and found is not None:
            message = f'frame 0 has {size}; the frames of a video must have one size'
            problems.error('size', message, where.at(field='height, width'), found)
    height, width = size or (0, 0)
    return AnnotatedVideo(
        name, height, width, names, problems.file, num_frames=len(names), position=number
    )


def _build_tracks(
    annotations: list[dict],
    frames: Frames,
    categories: dict[str, Id],
    problems: Problems,
    crowds_as_objects: bool,
) -> dict[int, dict[str, RawTrack]]:
    """Return the tracks that the entries belong to, by position of the video and by id."""
    tracks: dict[int, dict[str, RawTrack]] = {}
    for number, record in enumerate(annotations):
        place = problems.at(annotation=entry_name(record, number))
        home = look_up(record, 'image_id', frames, 'images', place, problems)
        if home is not None:
            place = home[0].place(home[1]).at(annotation=place.annotation)
        category = look_up(record, 'category_id', categories, 'categories', place, problems)
        crowd = read_crowd(record, place, problems) and not crowds_as_objects
        if 'segmentation' not in record:
            message = 'is missing; boxes alone, as for tracking, are no masks to learn'
            problems.error('mask', message, place.at(field='segmentation'))
        instance = as_id(track_id(record))
        if instance is None:
            message = (
                f'{NO_ID} that all frames of the object share (also as track_id, or '
                'attributes.track_id of CVAT)'
            )
            problems.error('id', message, place.at(field='instance_id'), track_id(record))
        elif home is not None:
            video, frame = home
            found = record.get('category_id', '') if category is None else category
            group, key = tracks.setdefault(video.position, {}), id_key(instance)
            if key not in group:
                new = AnnotatedTrack(instance, found, [None] * video.length, position=number)
                group[key] = RawTrack(new, records=[None] * video.length)
            _put(group[key], record, frame, found, crowd, place, problems)
    return tracks


def _put(
    raw: RawTrack,
    record: dict,
    frame: int,
    category: Id,
    crowd: bool,
    place: Place,
    problems: Problems,
) -> None:
    """Put an entry into a free frame of its track."""
    known = raw.track.category_id
    if category != known:
        message = f'the instance {raw.track.id!r} was of category {known!r} before'
        problems.error('category', message, place.at(field='category_id'), category)
    if raw.records[frame] is not None:
        message = 'the instance is in this frame twice'
        problems.error('id', message, place.at(field='instance_id'), raw.track.id)
        return
    raw.records[frame] = record
    if crowd:
        raw.crowds.add(frame)


def _fill_lists(raw: RawTrack, video: AnnotatedVideo, problems: Problems) -> None:
    """Put the fields of a track's entries together; frames that alone are crowds are left out."""
    number = len(raw.crowds)
    raw.track.iscrowd = number == len(raw.records) - raw.records.count(None)
    if number and not raw.track.iscrowd:
        for frame in raw.crowds:
            raw.records[frame] = None
        problems.leave_out('crowd frames of single objects', number)
        problems.warn(
            'crowd',
            f'{number} frames of the object are crowds, the others not; they are left out',
            video.place(min(raw.crowds)).at(annotation=raw.track.id, field='iscrowd'),
        )
    for name, key in COCOVID_FIELDS.items():
        values = [None if each is None else each.get(key) for each in raw.records]
        if name == 'segmentations' or any(each is not None for each in values):
            raw.lists[name] = values
