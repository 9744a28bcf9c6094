"""Moved to :mod:`mmcico.formats.read`."""

from mmcico.formats.annotations import AnnotationFile
from mmcico.formats.json_file import load_json
from mmcico.formats.read import read_annotations

__all__ = ['load_annotations', 'parse_annotations', 'read_annotations']


def load_annotations(path: str) -> dict:
    """Return the parsed JSON of an annotation file."""
    data = load_json(path)
    if not isinstance(data, dict):
        raise ValueError(
            f'{path} holds a {type(data).__name__}, not an '
            'object with videos; is it a results file?'
        )
    return data


def parse_annotations(data: dict, name: str) -> AnnotationFile:
    """Return the parsed content of a file."""
    return read_annotations(data, name)
