"""The kinds of files that can be videos, told by their content, and what folders and globs hold."""

import glob
import os.path as osp
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.utils.files import natural_key
from mmcico.utils.image_reading import IMAGE_SUFFIXES, file_content, num_pages

#: endings of video files in folders and globs
VIDEO_ENDINGS = (
    *('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.flv', '.mts'),
    *('.m2ts', '.3gp', '.ogv', '.gif'),
)
#: a raw stream of JPEG images begins as a single one does
JPEG_STREAMS = ('.mjpg', '.mjpeg')
IMAGE_STARTS = (b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', b'BM', b'II*\0', b'MM\0*')
VIDEO_STARTS = (
    *(b'\x1aE\xdf\xa3', b'FLV\x01', b'0&\xb2u', b'OggS', b'YUV4MPEG2', b'DKIF', b'.RMF'),
    # MPEG program, video and elementary streams, MXF, DV, NUT
    *(b'\0\0\x01', b'\0\0\0\x01', b'\x06\x0e+4', b'\x1f\x07\0', b'nut/multimedia container\0'),
)
#: the first box of MP4 and QuickTime files, after its length
MP4_BOXES = (b'ftyp', b'moov', b'mdat', b'free', b'skip', b'wide', b'pnot')


def kind_of(path: str) -> str:
    """Return what a file is: ``'image'``, ``'pages'`` for stacks and animations, or ``'video'``.

    Video libraries also draw text files, subtitles and arbitrary bytes as pictures, and follow the
    addresses in playlists; none of these is accepted here.

    Raises:
        ValueError: If it is missing, empty, not a regular file, or none of these.
    """
    head = file_content(path, 512)
    if head.startswith(b'GIF8'):  # FFmpeg drops frames that have no duration
        return 'pages'
    is_webp = head[:4] == b'RIFF' and head[8:12] == b'WEBP'
    if is_webp or head.startswith(IMAGE_STARTS) and not path.lower().endswith(JPEG_STREAMS):
        return 'pages' if num_pages(path) > 1 else 'image'
    is_avi = head[:4] == b'RIFF' and head[8:11] == b'AVI'
    # MPEG transport streams have a sign every 188 bytes, or every 192 after a time stamp
    is_transport = any(head[at : at + 1] == head[at + step : at + step + 1] == b'G'
                       for at, step in ((0, 188), (4, 192)))  # fmt: skip
    if is_avi or is_transport or head[4:8] in MP4_BOXES or head.startswith(VIDEO_STARTS):
        return 'video'
    if path.lower().endswith(IMAGE_SUFFIXES):
        raise ValueError(f'{path} is not a readable image')
    if b'\0' not in head or head.startswith((b'\xff\xfe', b'\xfe\xff')):
        raise ValueError(
            f'{path} is a text file, not a video; give videos themselves, not a list of them '
            '(mmcico predict $(cat LIST) runs on each line of a list)'
        )
    raise ValueError(
        f'{path} is not a video of a known kind (MP4, MOV, MKV, WebM, AVI, MPEG, ...); convert it '
        'with "ffmpeg -i FILE out.mp4"'
    )


def is_glob(path: str) -> bool:
    """Return whether a path stands for several; names of existing files may have ``[1]``."""
    return glob.has_magic(path) and not osp.exists(path)


def is_image_file(source: Any) -> bool:
    """Return whether a source is the path of one image, which need not exist; URLs are not."""
    return (
        isinstance(source, (str, Path))
        and '://' not in str(source)
        and str(source).lower().endswith(IMAGE_SUFFIXES)
        and not is_glob(str(source))
    )


def stands_for_files(path: str) -> bool:
    """Return whether a path is a folder or a glob."""
    return osp.isdir(path) or is_glob(path)


def named(path: str) -> str:
    """Return the name of a folder or glob for messages."""
    return f'the {"folder" if osp.isdir(path) else "glob"} {path}'


def files_in(path: str) -> tuple[list[str], list[str]]:
    """Return the images or the videos of a folder or glob in natural order, 2 before 10.

    One of the two lists is empty.

    Raises:
        ValueError: If it has both or neither.
    """
    pattern = osp.join(glob.escape(path), '*') if osp.isdir(path) else path
    found = sorted(glob.glob(pattern), key=natural_key)
    images = [each for each in found if each.lower().endswith(IMAGE_SUFFIXES)]
    videos = [each for each in found if each.lower().endswith(VIDEO_ENDINGS)]
    if images and videos:
        globs = (osp.join(osp.dirname(each[0]), '*' + osp.splitext(each[0])[1])
                 for each in (images, videos))  # fmt: skip
        raise ValueError(
            f'{named(path)} mixes images ({len(images)}, such as {osp.basename(images[0])}) and '
            f'videos ({len(videos)}, such as {osp.basename(videos[0])}), so it is neither the '
            'frames of one video nor several videos; give a glob in quotes, such as '
            f'"{next(globs)}" or "{next(globs)}"'
        )
    if not images and not videos:
        raise ValueError(
            f'{named(path)} holds no image ({", ".join(IMAGE_SUFFIXES)}) and no video '
            f'({", ".join(VIDEO_ENDINGS)}); for the frames of several videos, give one folder at '
            'a time'
        )
    return images, videos


def each_video(source: Any) -> list[Any]:
    """Return the videos that one source stands for: those in a folder or glob, else itself.

    Raises:
        ValueError: If a folder or glob has both images and videos, or neither.
    """
    if not isinstance(source, (str, Path)) or '://' in str(source):
        return [source]
    path = osp.expanduser(str(source))
    return (files_in(path)[1] or [source]) if stands_for_files(path) else [source]


def all_videos(inputs: Any) -> list[Any]:
    """Return the videos that one or several sources stand for.

    A list of frames or of several image files is one video.

    Raises:
        ValueError: If a list is empty, or a folder or glob has both images and videos, or neither.
    """
    if not isinstance(inputs, (list, tuple)):
        return each_video(inputs)
    if not inputs:
        raise ValueError('there is no video in the list of inputs; give at least one')
    frames = isinstance(inputs[0], np.ndarray) and inputs[0].ndim <= 3
    if frames or (len(inputs) > 1 and all(map(is_frame_file, inputs))):
        return [inputs]
    return [each for one in inputs for each in each_video(one)]


def is_frame_file(source: Any) -> bool:
    """Return whether a source is the path of an image that is no stack and no animation."""
    return is_image_file(source) and not (osp.isfile(source) and kind_of(str(source)) == 'pages')
