"""Checks of a whole annotation file: the reader's, and those of names, classes and images."""

from pathlib import Path
from typing import Any

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.categories import normalised
from mmcico.formats.fields import id_key
from mmcico.formats.problems import Place, Problems, short
from mmcico.formats.read import load_json, read_annotations
from mmcico.utils.files import leads_outside, natural_key
from mmcico.utils.image_reading import image_library, image_size

from .check_frames import TrackChecker


def check_file(
    path: str, images: str | None = None, box_slack: float = 1, classes_of: str | None = None
) -> Problems:
    """Find every problem of an annotation file.

    Args:
        path (str): YouTube-VIS, OVIS or CocoVID JSON.
        images (str, optional): Folder of the frames, which are then checked, too.
        box_slack (float): Pixels by which a side of a box may differ from that of its mask.
        classes_of (str, optional): Annotation file that must have the same classes.

    Returns:
        Problems: All that is wrong, one by one.

    Raises:
        ValueError: If ``images`` is no folder, or ``classes_of`` cannot be read.
    """
    try:
        data = load_json(path)
    except ValueError as error:
        problems = Problems(path, collect=True)
        problems.error('layout', str(error).removeprefix(f'{path} '))
        return problems
    return check_data(data, path, images, box_slack, classes_of)


def check_data(
    data: Any,
    name: str,
    images: str | None = None,
    box_slack: float = 1,
    classes_of: str | None = None,
) -> Problems:
    """Find every problem of parsed JSON, as :func:`check_file` does."""
    problems = Problems(name, collect=True)
    file = read_annotations(data, name, problems=problems)
    if file.num_crowds:
        problems.checked['crowds'] = file.num_crowds
    check_names(file, problems)
    check_category_use(file, problems)
    checker = TrackChecker(file, box_slack, problems)
    for video in file.videos:
        for track in video.tracks:
            checker.check(video, track)
    if classes_of is not None:
        check_same_classes(file, read_annotations(classes_of), problems)
    if images is not None:
        check_images(file, Path(images), problems)
    return problems


def check_names(file: AnnotationFile, problems: Problems) -> None:
    """Report frames that are not in the order of their names, and names that occur twice.

    Numbers in names count as numbers: ``9.jpg`` comes before ``10.jpg``.
    """
    first: dict[str, Place] = {}
    for video in file.videos:
        last = ''
        for frame, name in enumerate(video.file_names):
            if not name:
                continue
            place = video.place(frame).at(field='file_names')
            if last and natural_key(name) < natural_key(last):
                message = f'comes after {last!r}; frames must be in the order of time'
                problems.defect('order', message, place, name)
            last = name
            if name in first:
                where = first[name].at(file='', field='')
                problems.warn('name', f'is the file of {where}, too', place, name)
            first.setdefault(name, place)


def check_category_use(file: AnnotationFile, problems: Problems) -> None:
    """Warn of classes without an object."""
    used = {id_key(track.category_id) for video in file.videos for track in video.tracks}
    unused = [key for key, _ in file.categories if id_key(key) not in used]
    if unused and file.num_annotations:
        message = f'{len(unused)} of {len(file.categories)} categories have no object'
        place = problems.at(field='categories')
        problems.warn('category', message, place, f'ids {short(unused)}')


def check_same_classes(file: AnnotationFile, other: AnnotationFile, problems: Problems) -> None:
    """Report ids that stand for different classes in a file and in another part of its data set."""
    known = {id_key(key): name for key, name in other.categories}
    by_name = {normalised(name): key for key, name in other.categories}
    for key, name in file.categories:
        own = by_name.get(normalised(name))
        if own is not None and id_key(own) == id_key(key):
            continue
        message = f'has the id {key!r}, in {other.name} ' + (
            f'it has the id {own!r}' if own is not None else f'no class is named {name!r}'
        )
        if own is None and id_key(key) in known:
            message += f' and {key!r} is {known[id_key(key)]!r}'
        message += '; the parts of a data set need the same ids (convert --target does it)'
        problems.defect('category', message, problems.at(field='categories'), name)


def check_images(file: AnnotationFile, folder: Path, problems: Problems) -> None:
    """Report images of a folder that do not exist or have another size than their video.

    Raises:
        ValueError: If there is no such folder, or Pillow is not installed.
    """
    image_library()
    if not folder.is_dir():
        raise ValueError(f'--images {folder} is not a folder')
    named = [
        (video, frame, name)
        for video in file.videos
        for frame, name in enumerate(video.file_names)
        if name
    ]
    problems.checked['images'] = len(named)
    is_empty = len(named) > 1 and not any((folder / name).is_file() for _, _, name in named)
    for video, frame, name in named[:1] if is_empty else named:
        message = _image_problem(folder, name, video)
        if is_empty:
            message += f', nor any other of the {len(named)} frames; {_hint(folder, name)}'
        if message:
            problems.defect('image', message, video.place(frame).at(field='file_names'), name)


def _hint(folder: Path, name: str) -> str:
    """Return what to do when no frame is found."""
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if (inner / name).is_file():
            return f'choose --images {inner}'
    return '--images is the folder that "file_names" start from'


def _image_problem(folder: Path, name: str, video: AnnotatedVideo) -> str:
    """Return what is wrong with an image, '' if nothing is."""
    path = folder / name
    if leads_outside(folder, name):
        return (
            f'lies outside of {folder} (by its name or a link), where training does not look for '
            'images; move it there, or set allow_outside=True of the data set'
        )
    if not path.is_file():
        return f'there is no file {path}'
    try:
        found = image_size(path)
    except (OSError, image_library().DecompressionBombError) as error:
        return f'{path} is no image: {error}'
    if video.height and found != video.size:
        return f'{path} is {found} (height, width), the annotation file says {video.size}'
    return ''
