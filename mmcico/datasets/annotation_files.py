"""Annotation files of any layout; needs no OpenMMLab package."""

from mmcico.utils.json_file import load_json

from .cocovid_format import is_cocovid, read_cocovid
from .video_annotations import AnnotationFile
from .vis_format import read_vis


def load_annotations(path: str) -> dict:
    """The parsed JSON of an annotation file.

    Raises:
        ValueError: If it cannot be read or is no object.
    """
    if not path:
        raise ValueError('VISDataset needs ann_file, the annotation JSON')
    data = load_json(path)
    if not isinstance(data, dict):
        raise ValueError(
            f'{path} holds a {type(data).__name__}, not an '
            'object with videos; is it a results file?'
        )
    return data


def parse_annotations(data: dict, name: str) -> AnnotationFile:
    """Understand YouTube-VIS, OVIS or CocoVID; the keys tell which.

    Args:
        data (dict): The parsed JSON.
        name (str): Of the file, for messages.

    Raises:
        ValueError: If it cannot be understood.
    """
    return (read_cocovid if is_cocovid(data) else read_vis)(data, name)


def read_annotations(path: str) -> AnnotationFile:
    """Read a YouTube-VIS, OVIS or CocoVID file; its keys tell which.

    Raises:
        ValueError: If it cannot be read or understood.
    """
    return parse_annotations(load_annotations(path), str(path))
