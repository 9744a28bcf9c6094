"""Checks of a whole annotation file."""

from typing import Any

from mmcico.datasets.cocovid_format import is_cocovid
from mmcico.utils.json_file import load_json

from .check_cocovid import check_cocovid
from .check_frames import check_track
from .check_images import check_images
from .check_vis import check_vis
from .defects import Report


def check_file(path: str, images: str | None = None, box_slack: float = 1) -> Report:
    """Find every defect of an annotation file.

    Args:
        path (str): YouTube-VIS, OVIS or CocoVID JSON.
        images (str, optional): Folder of the frames, which are then checked.
        box_slack (float): Pixels that a side of a box may differ from that
            of its mask.

    Returns:
        Report: All that is wrong, one by one.

    Raises:
        ValueError: If ``images`` is not a folder.
    """
    try:
        data = load_json(path)
    except ValueError as error:
        report = Report(path)
        report.error('layout', str(error))
        return report
    return check_data(data, path, images, box_slack)


def check_data(data: Any, name: str, images: str | None = None, box_slack: float = 1) -> Report:
    """As :func:`check_file`, of parsed JSON.

    Args:
        data (Any): Whatever the file holds.
        name (str): Of the file, for messages.
        images (str, optional): See :func:`check_file`.
        box_slack (float): See :func:`check_file`.
    """
    report = Report(name)
    is_frames = isinstance(data, dict) and is_cocovid(data)
    videos, tracks = (check_cocovid if is_frames else check_vis)(data, report)
    masks = sum(check_track(track, box_slack, report) for track in tracks)
    have = [track for track in tracks if 'occlusion' in track.lists]
    if have and len(have) < len(tracks):
        for track in tracks:
            if 'occlusion' not in track.lists:
                report.error(
                    'occlusion',
                    'is missing, other annotations have it',
                    track.place,
                    track.fields['occlusion'],
                )
    report.checked = dict(
        videos=len(videos),
        frames=sum(len(video.names) for video in videos),
        objects=len(tracks),
        masks=masks,
    )
    if images is not None:
        check_images(videos, images, report)
    return report
