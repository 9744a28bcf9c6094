"""Checks of the frames' file names."""

from mmcico.utils.natural_order import natural_key

from .defects import Place, Report
from .raw_records import RawVideo


def check_names(videos: list[RawVideo], report: Report) -> None:
    """Order of the frames, and names that occur twice.

    Args:
        videos (list[RawVideo]): All videos of a file.
        report (Report): Gets what is wrong.
    """
    first: dict[str, Place] = {}
    for video in videos:
        check_order(video, report)
        for number, name in enumerate(video.names):
            if name is None:
                continue
            if name in first:
                report.warn(
                    'name',
                    f'is the file of {first[name]} too',
                    video.frame(number),
                    'file_names',
                    name,
                )
            else:
                first[name] = video.frame(number)


def check_order(video: RawVideo, report: Report) -> None:
    """A frame's name must not sort before that of the frame before.

    Numbers in names count as numbers: ``9.jpg`` comes before ``10.jpg``.
    """
    last = None
    for number, name in enumerate(video.names):
        if name is None:
            continue
        if last is not None and natural_key(name) < natural_key(last):
            report.error(
                'order',
                f'comes after {last!r}; frames must be in the order of time',
                video.frame(number),
                'file_names',
                name,
            )
        last = name
