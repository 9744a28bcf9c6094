"""Videos of YouTube-VIS, OVIS and CocoVID files, with other classes."""

from collections.abc import Iterator
from dataclasses import replace

from ..annotation_files import parse_annotations
from ..fields import id_key
from ..video_annotations import AnnotatedVideo, Id
from .class_maps import ClassTable


def whole(key: Id) -> Id:
    """An id as a whole number where it is one, also as text.

    >>> whole('007'), whole(2.0), whole('dog')
    (7, 2, 'dog')
    """
    text = id_key(key)
    return int(text) if text.isdecimal() else key


def json_videos(data: dict, name: str, table: ClassTable) -> Iterator[AnnotatedVideo]:
    """Videos of a file, their objects with the ids of the target.

    The file is held in memory, as it must be to be read; its masks are
    compressed.

    Args:
        data (dict): The parsed JSON.
        name (str): Of the file, for messages.
        table (ClassTable): Filled with the classes of the file.

    Yields:
        AnnotatedVideo: In the order of the file. Ids that are numbers as
        text become numbers.

    Raises:
        ValueError: If the file is not sound, or a class has no match.
    """
    file = parse_annotations(data, name)
    names = {id_key(key): text for key, text in file.categories}
    new_ids = table.match(data['categories'], name)
    for entry in table.categories:
        entry['id'] = whole(entry['id'])
    check_distinct([v.id for v in file.videos], 'video', name)
    check_distinct([e['id'] for e in table.categories], 'category', name)
    for video in file.videos:
        yield _converted(video, new_ids, names, table)


def _converted(
    video: AnnotatedVideo, new_ids: dict[str, Id | None], names: dict[str, str], table: ClassTable
) -> AnnotatedVideo:
    """A video with the objects whose class is kept."""
    tracks = []
    for track in video.tracks:
        old = id_key(track.category_id)
        new = new_ids[old]
        if new is None:
            table.count_left_out(names[old])
            continue
        tracks.append(replace(track, id=whole(track.id), category_id=whole(new)))
    return replace(video, id=whole(video.id), tracks=tracks)


def check_distinct(keys: list, what: str, name: str) -> None:
    """Refuse ids such as '7' and '07', which are one number.

    Raises:
        ValueError: Naming the first pair.
    """
    seen: dict[Id, Id] = {}
    for key in keys:
        if whole(key) in seen:
            raise ValueError(
                f'{name}: {what} ids {seen[whole(key)]!r} and {key!r} are '
                'the same number; ids must be distinct'
            )
        seen[whole(key)] = key
