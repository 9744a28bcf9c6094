"""Moved to :mod:`mmcico.formats.cocovid`."""

from mmcico.formats.annotations import AnnotationFile
from mmcico.formats.cocovid import is_cocovid
from mmcico.formats.read import read_annotations

__all__ = ['is_cocovid', 'read_cocovid']


def read_cocovid(data: dict, name: str) -> AnnotationFile:
    """Return the parsed content of a file."""
    return read_annotations(data, name)
