"""Checks of the frames' files, of which only the headers are read."""

from pathlib import Path

from mmcico.utils.image_size import image_library, image_size

from .defects import Report
from .raw_records import RawVideo


def check_images(videos: list[RawVideo], folder: str, report: Report) -> None:
    """All images must exist and have the size of their video.

    Args:
        videos (list[RawVideo]): All videos of a file.
        folder (str): The file names are below it.
        report (Report): Gets what is wrong.

    Raises:
        ValueError: If there is no such folder, or no Pillow.
    """
    image_library()
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f'--images {folder} is not a folder')
    count = 0
    for video in videos:
        for number, name in enumerate(video.names):
            if name is None:
                continue
            count += 1
            problem = image_problem(root / name, video.size)
            if problem:
                report.error('image', problem, video.frame(number), 'file_names', name)
    report.checked['images'] = count


def image_problem(path: Path, size: tuple[int, int] | None) -> str:
    """What is wrong with an image, '' if nothing."""
    if not path.is_file():
        return f'there is no file {path}'
    try:
        found = image_size(path)
    except OSError as error:
        return f'{path} is no image: {error}'
    if size is not None and found != size:
        return f'{path} is {found} (height, width), the annotation file says {size}'
    return ''
