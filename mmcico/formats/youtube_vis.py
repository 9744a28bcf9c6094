"""Files in the layout of YouTube-VIS, which OVIS shares.

Readers of other layouts put tracks together as :class:`RawTrack`, whose frames
:func:`read_frames` reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .annotations import OCCLUSION, AnnotatedTrack, AnnotatedVideo, AnnotationFile, Box
from .categories import read_categories
from .fields import (
    LONGEST_VIDEO,
    Id,
    as_id,
    entry_name,
    index_ids,
    is_number,
    is_whole,
    look_up,
    missing,
    read_crowd,
    read_file_name,
    read_list,
    read_masks_list,
    read_size,
    read_tables,
)
from .masks import read_masks
from .problems import WARNING, Place, Problems

#: names of a field with one entry per frame in YouTube-VIS and in CocoVID
COCOVID_FIELDS = dict(
    segmentations='segmentation', bboxes='bbox', areas='area', occlusion='occlusion'
)


@dataclass
class RawTrack:
    """A track whose frames were not read yet.

    Attributes:
        track (AnnotatedTrack): Gets the values of ``lists``.
        lists (dict[str, list | None]): Fields by their names in YouTube-VIS, one entry per frame;
            a field that the track does not have is None or missing.
        records (list[dict | None]): CocoVID's entry of each frame; empty for other layouts.
        crowds (set[int]): Frames whose entry in CocoVID is a crowd.
    """

    track: AnnotatedTrack
    lists: dict[str, list | None] = field(default_factory=dict)
    records: list[dict | None] = field(default_factory=list)
    crowds: set[int] = field(default_factory=set)

    def place(self, video: AnnotatedVideo, frame: int, name: str) -> Place:
        """Return the place of a field in a frame."""
        owner: Any = self.track.id
        if self.records:
            name = COCOVID_FIELDS[name]
            own = as_id((self.records[frame] or {}).get('id'))
            owner = owner if own is None else own
        return video.place(frame).at(annotation=owner, field=name)


def _box(value: Any) -> Box | None:
    if isinstance(value, (list, tuple)) and len(value) == 4 and all(map(is_number, value)):
        return value[0], value[1], value[2], value[3]
    if value == []:
        return None
    raise ValueError('is not [x, y, width, height] or null')


def _area(value: Any) -> float:
    if is_number(value) and value >= 0:
        return value
    raise ValueError('is not a number from 0 on, or null')


def _word(value: Any) -> str:
    if isinstance(value, str) and value in OCCLUSION:
        return value
    raise ValueError(f'is none of {", ".join(OCCLUSION)}')


#: field of a track -> kind of its problems, and reader of an entry that is not null
ENTRIES: dict[str, tuple[str, Callable[[Any], Any]]] = dict(
    bboxes=('box', _box), areas=('area', _area), occlusion=('occlusion', _word)
)


def read_frames(video: AnnotatedVideo, raw: Sequence[RawTrack], problems: Problems) -> None:
    """Read all frames of a video's tracks and add the tracks to it."""
    video.tracks.extend(each.track for each in raw)
    for each in raw:
        _read_lists(video, each, problems)
    masks = [each.lists.get('segmentations') or [None] * video.length for each in raw]
    if not video.height:  # a size that cannot be used was reported
        for each, own in zip(raw, masks):
            each.track.pixels = [0] * len(own)
            each.track.broken = {t for t, mask in enumerate(own) if mask}
        return
    found = read_masks(
        masks, video.size, lambda i, t: raw[i].place(video, t, 'segmentations'), problems
    )
    for each, frames in zip(raw, found):
        vars(each.track).update(vars(frames))
        if frames.blank:
            problems.leave_out('masks without a pixel', len(frames.blank))
        if not any(frames.pixels):
            problems.leave_out('objects that are seen in no frame')


def _read_lists(video: AnnotatedVideo, raw: RawTrack, problems: Problems) -> None:
    """Read boxes, areas and OVIS' words of a track."""
    for name, (kind, read) in ENTRIES.items():
        values = raw.lists.get(name)
        if values is None:
            continue
        found: list[Any] = [None] * len(values)
        for t, value in enumerate(values):
            if value is None:
                continue
            try:
                found[t] = read(value)
            except ValueError as error:
                problems.error(kind, str(error), raw.place(video, t, name), value)
        setattr(raw.track, name, found)


def finish_file(file: AnnotationFile, problems: Problems) -> AnnotationFile:
    """Report crowds and a file without annotations, keep the counts, and return the file."""
    total = file.num_objects
    if not file.num_annotations:
        problems.warn(
            'empty',
            'the file has no annotations, as official valid and test files; it cannot be '
            'learned from or measured against',
            problems.at(field='annotations'),
        )
    if total and 2 * file.num_crowds > total:
        problems.warn(
            'crowd',
            f'{file.num_crowds} of {total} objects are crowds, which training and metrics '
            'ignore. CVAT and brush tools set iscrowd = 1 for single objects, too: set it to 0, '
            'or read the file with crowds_as_objects=True',
            problems.at(field='iscrowd'),
        )
    frames = sum(video.length for video in file.videos)
    problems.checked = dict(
        videos=len(file.videos), frames=frames, objects=total, masks=file.num_masks
    )
    file.left_out = problems.left_out
    file.warnings = [each.text() for each in problems.found if each.level == WARNING]
    return file


def read_youtube_vis(
    data: Any, problems: Problems, needs_files: bool = True, crowds_as_objects: bool = False
) -> AnnotationFile:
    """Read the content of a YouTube-VIS or OVIS file; every mask is checked.

    Args:
        data (dict): The parsed JSON: ``videos``, ``categories`` and, for training sets,
            ``annotations`` (missing, null or empty in official valid and test files).
        problems (Problems): Gets what is wrong.
        needs_files (bool): Whether videos must have ``file_names``; with False, their ``length`` is
            enough.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Raises:
        ValueError: In strict use, for the first error.
    """
    tables = read_tables(data, ('videos', 'categories'), problems)
    index = index_ids(tables['videos'], 'videos', problems, 'video')
    videos = [
        _read_video(record, number, needs_files, problems)
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
        raw = _read_track(record, number, video, categories, place, problems)
        raw.track.iscrowd &= not crowds_as_objects
        if video is not None:
            tracks.setdefault(video.position, []).append(raw)
    for position, group in tracks.items():
        read_frames(videos[position], group, problems)
    file = AnnotationFile(problems.file, videos, pairs, 'youtube_vis', len(annotations))
    return finish_file(file, problems)


def _read_video(record: dict, number: int, needs_files: bool, problems: Problems) -> AnnotatedVideo:
    """Read one entry of ``videos``."""
    name = entry_name(record, number)
    place = problems.at(video=name)
    files, length = record.get('file_names'), record.get('length')
    names: list[str] = []
    if isinstance(files, list) and files:
        where = place.at(field='file_names')
        names = [read_file_name(each, where.at(frame=t), problems) for t, each in enumerate(files)]
    elif needs_files or length is None or files not in (None, []):
        what = missing(record, 'file_names') if files is None else 'is no list with an entry'
        message = f'{what}; give the name of every frame, or remove the video'
        problems.error('name', message, place.at(field='file_names'), files)
    num_frames = _read_length(length, names, place.at(field='length'), problems)
    height, width = read_size(record, place, problems) or (0, 0)
    return AnnotatedVideo(
        name, height, width, names, problems.file, num_frames=num_frames, position=number
    )


def _read_length(length: Any, names: list[str], place: Place, problems: Problems) -> int:
    """Return the number of frames, which must be that of the names."""
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


def _read_track(
    record: dict,
    number: int,
    video: AnnotatedVideo | None,
    categories: dict[str, Id],
    place: Place,
    problems: Problems,
) -> RawTrack:
    """Read one entry of ``annotations`` except its fields with one entry per frame."""
    category = look_up(record, 'category_id', categories, 'categories', place, problems)
    crowd = read_crowd(record, place, problems)
    lists: dict[str, list | None] = {}
    length = 0 if video is None else video.length
    masks = read_masks_list(record, None if video is None else length, place, problems)
    if video is not None:
        lists = {key: read_list(record, key, length, place, problems) for key in ENTRIES}
        lists['segmentations'] = masks
        _compare_sizes(record, video, place, problems)
    track = AnnotatedTrack(
        entry_name(record, number),
        record.get('category_id', '') if category is None else category,
        [None] * length,
        iscrowd=crowd,
        position=number,
    )
    return RawTrack(track, lists)


def _compare_sizes(record: dict, video: AnnotatedVideo, place: Place, problems: Problems) -> None:
    """Compare the size and length that an annotation states with its video's."""
    for key, kind in (('length', 'length'), ('height', 'size'), ('width', 'size')):
        value, expected = record.get(key), getattr(video, key)
        if value is not None and expected and (not is_whole(value) or value != expected):
            problems.defect(kind, f'the video has {expected}', place.at(field=key), value)
