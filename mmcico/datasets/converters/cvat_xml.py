"""CVAT for video 1.1: an XML for each video, with masks and polygons by track and frame."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile
from mmcico.formats.masks import draw_shape
from mmcico.formats.problems import Place, Problems
from mmcico.formats.rle import Size, decode_masks, encode_masks, mask_info
from mmcico.utils.files import whole_file
from mmcico.utils.image_reading import IMAGE_SUFFIXES

from .class_maps import ClassTable
from .frame_folders import files_by_stem, files_of_videos, frames_in, video_of
from .mask_writer import named_videos


def cvat_videos(
    path: Path, images: Path, table: ClassTable, problems: Problems
) -> Iterator[AnnotatedVideo]:
    """Yield videos that were annotated with CVAT, one at a time, with ids from 1.

    Args:
        path (Path): An XML, or a folder with an XML for each video, also in folders in it.
        images (Path): Folder with a folder of frames for each video, named as its XML; for one
            video also the folder of its frames.
        table (ClassTable): Gets the classes.
        problems (Problems): Counts what is left out.

    Raises:
        ValueError: If a file cannot be used; the message names file, track and frame.
    """
    files = {path.stem: path}
    if path.is_dir():
        files = files_of_videos(path, '.xml', images, problems)
    if not files:
        raise ValueError(f'{path} has no XML file')
    table.number(t.get('label', '') for each in files.values() for t in _parse(each).iter('track'))
    for number, (folder, each) in enumerate(files.items(), start=1):
        frames = {}
        if len(files) == 1 and not (images / folder).is_dir() and images.is_dir():
            folder, frames = '', files_by_stem(images, IMAGE_SUFFIXES)
        frames = frames or frames_in(images / folder, str(each))
        video = video_of(number, frames, folder, str(each))
        for track in _parse(each).iter('track'):
            _read_track(track, video, table, problems)
        yield video


def _parse(path: Path) -> ElementTree.Element:
    """Parse an XML file; entities, which may grow without bounds, are refused."""
    try:
        data = path.read_bytes()
        if b'<!DOCTYPE' in data or b'<!ENTITY' in data:
            raise ValueError(f'{path} defines entities, which files of CVAT do not')
        root = ElementTree.fromstring(data)
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(f'{path} cannot be read: {error}') from error
    if root.tag != 'annotations' or root.find('image') is not None:
        raise ValueError(f'{path} is no file of the format "CVAT for video 1.1"')
    return root


def _read_track(
    track: ElementTree.Element, video: AnnotatedVideo, table: ClassTable, problems: Problems
) -> None:
    """Add a track to its video."""
    label, key = track.get('label', ''), track.get('id', '?')
    place = Place(video.source, annotation=f'track {key}')
    category = table.id_of(label, str(place))
    counts: list[bytes | None] = [None] * video.length
    for shape in track if category is not None else ():
        if shape.tag == 'attribute' or shape.get('outside') == '1':
            continue
        text = shape.get('frame', '')
        if not text.isdecimal() or not 0 <= int(text[:9]) < video.length:
            raise ValueError(f'{place}: frame {text!r} is none of the {video.length} frames')
        where = place.at(frame=int(text))
        if shape.tag == 'mask':
            counts[int(text)] = _read_mask(shape, video.size, where)
        elif shape.tag == 'polygon':
            corners = [
                _number(v, where) for p in _split(shape, 'points', ';') for v in p.split(',')
            ]
            counts[int(text)] = draw_shape(corners, video.size, where, problems)
        else:
            problems.leave_out(f'shapes of type {shape.tag!r}, which are no masks')
    # Tracks of CVAT start at 0, which is no object elsewhere.
    number = int(key) + 1 if key.isdecimal() and len(key) < 16 else 0
    table.add_object(video, label, category, counts, number)


def _split(shape: ElementTree.Element, name: str, mark: str) -> list[str]:
    return [each for each in shape.get(name, '').split(mark) if each.strip()]


def _number(text: str, place: Place) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f'{place}: {text[:40]!r} is no number') from error


def _read_mask(shape: ElementTree.Element, size: Size, place: Place) -> bytes | None:
    """Return a mask whose runs go along the rows of a box."""
    try:
        left, top, width, height = (
            int(shape.get(k, '')) for k in ('left', 'top', 'width', 'height')
        )
        runs = np.array([int(text) for text in _split(shape, 'rle', ',')], np.int64)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'{place}: the mask is broken: {error}') from error
    fits = 0 <= left <= left + width <= size[1] and 0 <= top <= top + height <= size[0]
    if not fits or (runs < 0).any() or (runs > height * width).any():
        raise ValueError(f'{place}: the mask does not lie in the frame of {size} (height, width)')
    if int(runs.sum()) != height * width:
        raise ValueError(
            f'{place}: the runs of the mask have {int(runs.sum())} pixels, its box {height * width}'
        )
    plane = np.zeros(size, np.uint8)
    values = np.repeat(np.arange(len(runs)) & 1, runs).reshape(height, width)
    plane[top : top + height, left : left + width] = values
    return encode_masks(plane[None])[0]


def write_cvat(file: AnnotationFile, out: Path, problems: Problems) -> None:
    """Write ``<video>.xml`` for each video, with a mask for each frame of an object."""
    names = dict(file.categories)
    for name, video in named_videos(file, problems):
        root = ElementTree.Element('annotations')
        ElementTree.SubElement(root, 'version').text = '1.1'
        task = ElementTree.SubElement(ElementTree.SubElement(root, 'meta'), 'task')
        ElementTree.SubElement(task, 'name').text = name
        ElementTree.SubElement(task, 'size').text = str(video.length)
        labels = ElementTree.SubElement(task, 'labels')
        for label in names.values():
            ElementTree.SubElement(ElementTree.SubElement(labels, 'label'), 'name').text = label
        size = ElementTree.SubElement(task, 'original_size')
        ElementTree.SubElement(size, 'width').text = str(video.width)
        ElementTree.SubElement(size, 'height').text = str(video.height)
        for number, track in enumerate(video.tracks):
            entry = dict(id=str(number), label=names[track.category_id], source='file')
            _add_masks(ElementTree.SubElement(root, 'track', entry), video, track)
        with whole_file(out / f'{name}.xml') as stream:
            ElementTree.ElementTree(root).write(stream, 'utf-8', xml_declaration=True)


def _add_masks(parent: ElementTree.Element, video: AnnotatedVideo, track: AnnotatedTrack) -> None:
    """Add the masks of a track; ``outside`` ends it where the object is not seen."""
    last: dict[str, str] = {}
    for frame, counts in enumerate(track.counts):
        if counts is not None:
            last = _mask_fields(counts, video.size)
        elif not last or not track.seen(frame - 1):
            continue
        state = dict(frame=str(frame), keyframe='1', occluded='0', outside=str(int(counts is None)))
        ElementTree.SubElement(parent, 'mask', state | last | dict(z_order='0'))


def _mask_fields(counts: bytes, size: Size) -> dict[str, str]:
    """Return box and runs of a mask."""
    left, top, right, bottom = (int(side) for side in mask_info(counts, size).box)
    patch = decode_masks([counts], *size)[0, top:bottom, left:right].ravel()
    changes = np.flatnonzero(np.diff(patch, prepend=0))
    runs = np.diff(changes, prepend=0, append=len(patch)).tolist()
    return dict(
        rle=', '.join(map(str, runs)),
        left=str(left),
        top=str(top),
        width=str(right - left),
        height=str(bottom - top),
    )
