"""Checks of the CocoVID layout: every frame is an entry of ``images``."""

from mmcico.datasets.fields import id_key

from .check_names import check_names
from .check_tables import check_categories, check_category_use, check_tables
from .cocovid_tracks import Frames, TrackTable
from .defects import Place, Report
from .raw_records import (
    RawTrack,
    RawVideo,
    check_crowd,
    check_reference,
    index_ids,
    place_of,
    read_size,
)
from .values import is_whole


def check_cocovid(data: dict, report: Report) -> tuple[list[RawVideo], list[RawTrack]]:
    """Check all but the content of the masks, boxes and areas.

    Args:
        data (dict): The parsed JSON.
        report (Report): Gets what is wrong.

    Returns:
        tuple[list[RawVideo], list[RawTrack]]: What to look at more closely.
    """
    tables = check_tables(data, ('videos', 'images', 'categories'), report)
    groups = group_images(tables, report)
    index = index_ids(tables['images'], 'images', report, '')
    frames: Frames = dict.fromkeys(index)
    videos = []
    for number, record in enumerate(tables['videos']):
        place = Place(video=place_of(record, number))
        video = read_video(record, groups[number], place, report)
        videos.append(video)
        for t, image in enumerate(groups[number]):
            key = id_key(image.get('id'))
            if key in index and tables['images'][index[key]] is image:
                frames[key] = (video, t)
    check_names(videos, report)
    categories = check_categories(tables['categories'], report)
    annotations = tables['annotations']
    check_category_use(categories, annotations, report)
    if any('id' in record for record in annotations):
        index_ids(annotations, 'annotations', report, 'annotation')
    table = TrackTable(frames, report)
    for number, record in enumerate(annotations):
        place = table.place(record, number)
        check_reference(record, 'category_id', categories, 'categories', place, report)
        check_crowd(record, place, report)
        table.add(record, place)
    return videos, table.finish()


def group_images(tables: dict[str, list], report: Report) -> list[list[dict]]:
    """Images of each video in the order of ``frame_id``."""
    index = index_ids(tables['videos'], 'videos', report, 'video')
    groups: list[list[dict]] = [[] for _ in tables['videos']]
    for number, image in enumerate(tables['images']):
        place = Place(file_name=image.get('file_name'))
        home = check_reference(image, 'video_id', index, 'videos', place, report)
        frame = image.get('frame_id')
        if not is_whole(frame) or isinstance(frame, float):
            report.error(
                'order',
                'is not a whole number without a point',
                place,
                f'images[{number}].frame_id',
                frame,
            )
        if home is not None:
            groups[home].append(image)
    for group in groups:
        group.sort(key=frame_order)
    return groups


def frame_order(image: dict) -> float:
    """``frame_id``, those without one last."""
    frame = image.get('frame_id')
    return float(frame) if is_whole(frame) else float('inf')


def read_video(record: dict, images: list[dict], place: Place, report: Report) -> RawVideo:
    """One entry of ``videos`` and its images."""
    if not images:
        report.error('length', "no entry of 'images' has its id", place, 'id', record.get('id'))
    names: list[str | None] = []
    sizes = []
    for number, image in enumerate(images):
        name = image.get('file_name')
        is_name = isinstance(name, str) and name.strip() != ''
        names.append(name if is_name else None)
        where = place.at(frame=number, file_name=names[-1])
        if not is_name:
            report.error('name', 'is no file name', where, 'file_name', name)
        order = frame_order(image)
        if number and order == frame_order(images[number - 1]) and order < float('inf'):
            report.error('order', 'is there twice', where, 'frame_id', image.get('frame_id'))
        sizes.append(read_size({**record, **image}, where, report))
        if sizes[-1] and sizes[0] and sizes[-1] != sizes[0]:
            report.error(
                'size',
                f'frame 0 has {sizes[0]}; the frames of a video must have one size',
                where,
                'height, width',
                sizes[-1],
            )
    return RawVideo(place, names, sizes[0] if sizes else None)
