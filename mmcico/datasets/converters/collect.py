"""Videos of a source as one annotation file."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id
from mmcico.formats.problems import Problems, counted
from mmcico.formats.rle import mask_info
from mmcico.formats.write import cocovid_data, youtube_vis_data

from .class_maps import ClassTable

#: words of the reader for objects that are left out here
UNSEEN = 'objects that are seen in no frame'


class FreeNumbers:
    """Distinct whole numbers from 1, those that are asked for if they are free."""

    def __init__(self) -> None:
        self._used: set[Id] = set()
        self._free = count(1)

    def take(self, wish: Id) -> int:
        """Return the number that is asked for, or the lowest that is free."""
        if type(wish) is not int or wish < 1 or wish in self._used:
            wish = next(number for number in self._free if number not in self._used)
        self._used.add(wish)
        return wish


def collect(
    videos: Iterable[AnnotatedVideo], table: ClassTable, problems: Problems
) -> AnnotationFile:
    """Return the videos of a source, read one by one, as a file with all that writers need.

    Objects that are seen in no frame are left out. Objects whose id is a positive whole number that
    is not used yet keep it; others get the next free one, since evaluation tools and MMDetection
    take an object 0 for no object.

    Raises:
        ValueError: If there is no class, since no reader accepts such a file.
    """
    numbers = FreeNumbers()
    kept, unseen = [], 0
    for video in videos:
        tracks = [
            replace(
                track,
                id=numbers.take(track.id),
                pixels=[mask_info(each, video.size).area if each else 0 for each in track.counts],
            )
            for track in video.tracks
            if any(track.counts)
        ]
        unseen += len(video.tracks) - len(tracks)
        kept.append(replace(video, tracks=tracks))
    if unseen:  # The reader of a JSON file may have counted them.
        problems.left_out[UNSEEN] = unseen
    if not table.categories:
        left_out = f'; left out: {counted(problems.left_out)}' if problems.left_out else ''
        raise ValueError(f'{problems.file}: the source has no object and thus no class{left_out}')
    categories = [(entry['id'], entry['name']) for entry in table.categories]
    return AnnotationFile(problems.file, kept, categories, left_out=problems.left_out)


def converted_data(file: AnnotationFile, table: ClassTable, layout: str, source: str) -> dict:
    """Return a collected file as JSON can hold it, in the layout youtube_vis or cocovid."""
    data: dict[str, Any] = dict(info=dict(description=f'converted by {source}'), licenses=[])
    data.update(cocovid_data(file) if layout == 'cocovid' else youtube_vis_data(file))
    return data | dict(categories=table.categories)
