"""Annotation files of any layout."""

from pathlib import Path
from typing import Any

from .annotations import AnnotationFile
from .cocovid import is_cocovid, read_cocovid
from .json_file import load_json
from .problems import Problems
from .youtube_vis import read_youtube_vis


def read_annotations(
    source: str | Path | dict,
    name: str | None = None,
    *,
    problems: Problems | None = None,
    needs_files: bool = True,
    crowds_as_objects: bool = False,
) -> AnnotationFile:
    """Read a YouTube-VIS, OVIS or CocoVID file; its keys tell which.

    Args:
        source (str | Path | dict): File, or the JSON parsed from it.
        name (str, optional): Name of the file in messages.
        problems (Problems, optional): Gets what is wrong. Errors are raised
            when left out.
        needs_files (bool): Whether videos must name the files of their
            frames; with False, their length is enough.
        crowds_as_objects (bool): Take ``iscrowd`` as 0.

    Returns:
        AnnotationFile: All of it. In collecting use, what could be read.

    Raises:
        ValueError: In strict use, for the first error.
    """
    is_path = isinstance(source, (str, Path))
    if problems is None:
        problems = Problems(name or (str(source) if is_path else 'annotations'))
    data: Any = source
    if isinstance(source, (str, Path)):
        try:
            data = load_json(source)
        except ValueError as error:
            if not problems.collect:
                raise
            problems.error('layout', str(error).removeprefix(f'{problems.file} '))
            return AnnotationFile(problems.file, [], [])
    if is_cocovid(data):
        return read_cocovid(data, problems, crowds_as_objects)
    return read_youtube_vis(data, problems, needs_files, crowds_as_objects)
