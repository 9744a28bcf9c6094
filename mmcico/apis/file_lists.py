"""Pictures and videos that a folder or a glob stands for."""

import glob
import os.path as osp
from pathlib import Path
from typing import Any

from mmcico.utils.image_size import IMAGE_SUFFIXES
from mmcico.utils.natural_order import natural_key

VIDEO_ENDINGS = (
    '.mp4',
    '.avi',
    '.mov',
    '.mkv',
    '.webm',
    '.m4v',
    '.mpg',
    '.mpeg',
    '.wmv',
    '.flv',
    '.mts',
    '.m2ts',
    '.3gp',
    '.ogv',
    '.gif',
)


def is_glob(path: str) -> bool:
    """Whether a path stands for several; files may have ``[1]`` in names."""
    return glob.has_magic(path) and not osp.exists(path)


def is_image_file(source: Any) -> bool:
    """Whether a source is the path of one image; it need not be there."""
    return (
        isinstance(source, (str, Path))
        and str(source).lower().endswith(IMAGE_SUFFIXES)
        and not is_glob(str(source))
    )


def stands_for_files(path: str) -> bool:
    """Whether a path is a folder or a glob."""
    return osp.isdir(path) or is_glob(path)


def named(path: str) -> str:
    """A folder or glob in messages."""
    return f'the {"folder" if osp.isdir(path) else "glob"} {path}'


def files_in(path: str) -> tuple[list[str], list[str]]:
    """Images or videos of a folder or glob, 2 before 10.

    Args:
        path (str): Folder or glob.

    Returns:
        tuple[list[str], list[str]]: Images and videos; one of them is empty.

    Raises:
        ValueError: If it has both, or none.
    """
    pattern = osp.join(glob.escape(path), '*') if osp.isdir(path) else path
    found = sorted(glob.glob(pattern), key=natural_key)
    images = [each for each in found if each.lower().endswith(IMAGE_SUFFIXES)]
    videos = [each for each in found if each.lower().endswith(VIDEO_ENDINGS)]
    if images and videos:
        raise ValueError(
            f'{named(path)} mixes images ({len(images)}, such as '
            f'{osp.basename(images[0])}) and videos ({len(videos)}, such as '
            f'{osp.basename(videos[0])}), so it is neither the frames of one '
            'video nor several videos; give a glob in quotes, such as '
            f'"{_beside(images[0])}" or "{_beside(videos[0])}"'
        )
    if not images and not videos:
        raise ValueError(
            f'{named(path)} holds no image ({", ".join(IMAGE_SUFFIXES)}) and '
            f'no video ({", ".join(VIDEO_ENDINGS)}); for the frames of '
            'several videos, give one folder at a time'
        )
    return images, videos


def each_video(source: Any) -> list[Any]:
    """The videos that a user means by one source.

    Args:
        source: Any, see :func:`open_source`.

    Returns:
        list: Paths, if it is a folder or glob of video files; else itself.

    Raises:
        ValueError: If a folder or glob has images and videos, or none.
    """
    if not isinstance(source, (str, Path)) or '://' in str(source):
        return [source]
    path = osp.expanduser(str(source))
    if not stands_for_files(path):
        return [source]
    return files_in(path)[1] or [source]


def _beside(path: str) -> str:
    """A glob of the files with the same ending in the same folder."""
    return osp.join(osp.dirname(path), '*' + osp.splitext(path)[1])
