"""Checks of the YouTube-VIS and OVIS layout: videos with lists of frames."""

from .check_names import check_names
from .check_tables import check_categories, check_category_use, check_tables
from .defects import Place, Report
from .raw_records import (
    FRAME_FIELDS,
    RawTrack,
    RawVideo,
    check_crowd,
    check_reference,
    index_ids,
    place_of,
    read_size,
)
from .values import is_whole


def check_vis(data: dict, report: Report) -> tuple[list[RawVideo], list[RawTrack]]:
    """Check all but the content of the masks, boxes and areas.

    Args:
        data (dict): The parsed JSON.
        report (Report): Gets what is wrong.

    Returns:
        tuple[list[RawVideo], list[RawTrack]]: What to look at more closely.
    """
    tables = check_tables(data, ('videos', 'categories'), report)
    records = tables['videos']
    index = index_ids(records, 'videos', report, 'video')
    videos = [
        read_video(record, Place(video=place_of(record, number)), report)
        for number, record in enumerate(records)
    ]
    known = {key: videos[number] for key, number in index.items()}
    check_names(videos, report)
    categories = check_categories(tables['categories'], report)
    annotations = tables['annotations']
    check_category_use(categories, annotations, report)
    index_ids(annotations, 'annotations', report, 'annotation')
    tracks = [
        read_track(record, number, known, categories, report)
        for number, record in enumerate(annotations)
    ]
    return videos, tracks


def read_video(record: dict, place: Place, report: Report) -> RawVideo:
    """One entry of ``videos``."""
    names: list[str | None] = []
    files = record.get('file_names')
    if not isinstance(files, list) or not files:
        report.error(
            'name', 'is not a list with the name of every frame', place, 'file_names', files
        )
        files = []
    for number, name in enumerate(files):
        is_name = isinstance(name, str) and name.strip() != ''
        names.append(name if is_name else None)
        if not is_name:
            report.error('name', 'is no file name', place.at(frame=number), 'file_names', name)
    length = record.get('length')
    if length is not None and length != len(files):
        report.error('length', f'the video has {len(files)} file_names', place, 'length', length)
    return RawVideo(place, names, read_size(record, place, report))


def read_track(
    record: dict, number: int, known: dict[str, RawVideo], categories: dict, report: Report
) -> RawTrack:
    """One entry of ``annotations``."""
    place = Place(annotation=place_of(record, number))
    if record.get('video_id') is not None:
        place = place.at(video=record['video_id'])
    video = check_reference(record, 'video_id', known, 'videos', place, report)
    check_reference(record, 'category_id', categories, 'categories', place, report)
    check_crowd(record, place, report)
    lists = {}
    for key in FRAME_FIELDS:
        value = record.get(key)
        if isinstance(value, list):
            lists[key] = value
        elif value is not None or key == 'segmentations':
            report.error('length', 'is not a list with one entry a frame', place, key, value)
    if video is None:
        longest = max(map(len, lists.values()), default=0)
        video = RawVideo(place, [None] * longest)
    track = RawTrack(place, video, lists)
    check_lengths(track, record, report)
    return track


def check_lengths(track: RawTrack, record: dict, report: Report) -> None:
    """Compare with the video; lists then get its length."""
    length = len(track.video.names)
    for key, values in track.lists.items():
        if len(values) != length:
            report.error(
                'length',
                f'has {len(values)} entries, the video has {length} '
                'frames; give one a frame, null where nothing of the object '
                'is seen',
                track.place,
                key,
            )
            track.lists[key] = (values + [None] * length)[:length]
    size = track.video.size or (None, None)
    for key, kind, expected in (
        ('length', 'length', length),
        ('height', 'size', size[0]),
        ('width', 'size', size[1]),
    ):
        value = record.get(key)
        if value is not None and expected and (not is_whole(value) or value != expected):
            report.error(kind, f'the video has {expected}', track.place, key, value)
