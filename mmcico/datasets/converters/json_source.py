"""Videos of YouTube-VIS, OVIS, CocoVID, CVAT and TAO files, with other classes."""

from collections.abc import Iterator
from dataclasses import replace

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.fields import Id, id_key
from mmcico.formats.problems import Problems
from mmcico.formats.read import read_annotations

from .class_maps import ClassTable


def whole(key: Id) -> Id:
    """Return an id as a whole number where it is one, also as text.

    >>> whole('007'), whole(2.0), whole('dog')
    (7, 2, 'dog')
    """
    text = id_key(key)
    return int(text) if text.isdecimal() and len(text) < 4000 else key


def json_videos(
    data: dict,
    name: str,
    table: ClassTable,
    problems: Problems | None = None,
    crowds_as_objects: bool = False,
) -> Iterator[AnnotatedVideo]:
    """Read the videos of a file, their objects with the category ids of the target.

    Args:
        data (dict): The parsed JSON.
        name (str): Name of the file, for messages.
        table (ClassTable): Gets the classes of the file.
        problems (Problems, optional): Counts what is left out, keeps warnings.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Yields:
        AnnotatedVideo: In the order of the file. Ids that are numbers as text become numbers.

    Raises:
        ValueError: If the file is not sound, or a class has no match.
    """
    file = read_annotations(data, name, problems=problems, crowds_as_objects=crowds_as_objects)
    names = {id_key(key): text for key, text in file.categories}
    new_ids = table.match(data['categories'], name)
    for entry in table.categories:
        entry['id'] = whole(entry['id'])
    check_distinct([v.id for v in file.videos], 'video', name)
    check_distinct([e['id'] for e in table.categories], 'category', name)
    for video in file.videos:
        tracks = []
        for track in video.tracks:
            new = table.new_category(track.category_id, new_ids, names)
            if new is not None:
                tracks.append(replace(track, id=whole(track.id), category_id=whole(new)))
        yield replace(video, id=whole(video.id), tracks=tracks)


def check_distinct(keys: list[Id], what: str, name: str) -> None:
    """Check that no two ids, such as '7' and '07', are the same number.

    Raises:
        ValueError: If two are; the message names the first pair.
    """
    seen: dict[Id, Id] = {}
    for key in keys:
        if whole(key) in seen:
            raise ValueError(
                f'{name}: {what} ids {seen[whole(key)]!r} and {key!r} are the same number; ids '
                'must be distinct'
            )
        seen[whole(key)] = key
