"""Folders with one file for each frame, and pictures in them."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path, PurePosixPath

from PIL import Image

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.problems import Problems
from mmcico.utils.files import is_below, natural_key
from mmcico.utils.image_reading import IMAGE_SUFFIXES
from mmcico.utils.image_reading import image_size as shown_size


def video_folders(root: Path, wanted: Sequence[str] | None, what: str) -> dict[str, Path]:
    """Return the folders of videos in a folder by name, in natural order or as they are wanted.

    Raises:
        ValueError: If there are none, or a wanted one is missing, outside or named twice.
    """
    if not root.is_dir():
        raise ValueError(f'{what}: {root} is no folder')
    if wanted is None:
        names = sorted((each.name for each in root.iterdir() if each.is_dir()), key=natural_key)
    else:
        names = [str(PurePosixPath(name)) for name in wanted]
        missing = [str(root / each) for each in names if not (root / each).is_dir()]
        if missing:
            raise ValueError(f'{what}: no such folders: {missing}')
        for name in names:
            if names.count(name) > 1 or not is_below(name):
                reason = 'is there twice' if is_below(name) else f'is outside of {root}'
                raise ValueError(
                    f'{what}: {name!r} in the list of videos {reason}; name each video once, by '
                    f'its folder in {root}'
                )
    if not names:
        raise ValueError(
            f'{what}: {root} has no folders; each video needs a folder with its frames'
        )
    return {name: root / name for name in names}


def files_by_stem(folder: Path, suffixes: Sequence[str], nested: bool = False) -> dict[str, Path]:
    """Return the files of a folder by their names without suffix, in natural order.

    With ``nested``, those of the folders in it are among them, named such as ``a/b``.

    Raises:
        ValueError: If two files have the same name but for the suffix.
    """
    found: dict[str, Path] = {}
    paths = [
        path
        for path in (folder.rglob('*') if nested else folder.iterdir())
        if path.suffix.lower() in suffixes and not path.name.startswith('.')
    ]
    for path in sorted(paths, key=lambda p: natural_key(str(p))):
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in found:
            raise ValueError(
                f'{folder}: {found[name].name} and {path.name} are the same frame; remove one'
            )
        found[name] = path
    return found


def files_of_videos(folder: Path, suffix: str, images: Path, problems: Problems) -> dict[str, Path]:
    """Return the files of a folder that are of videos, by the names of these.

    Files in the folders in it, such as ``a/b.txt``, are of videos if there are frames of that name,
    ``images/a/b``; others are left out and counted.
    """
    found = files_by_stem(folder, (suffix,), nested=True)
    kept = {name: found[name] for name in found if '/' not in name or (images / name).is_dir()}
    if kept and len(kept) < len(found):
        what = f'{suffix} files in folders that are not named as a folder of frames'
        problems.leave_out(what, len(found) - len(kept))
    return kept or found


def frames_in(folder: Path, owner: str) -> dict[str, Path]:
    """Return the frames of a video as :func:`files_by_stem`; ``owner`` begins messages.

    Raises:
        ValueError: If there is no such folder, or two frames have one name.
    """
    if not folder.is_dir():
        raise ValueError(f'{owner}: there is no folder {folder} with the frames')
    return files_by_stem(folder, IMAGE_SUFFIXES)


def labelled(
    images: Mapping[str, Path], labels: Container[str], keep_all: bool, problems: Problems
) -> dict[str, Path]:
    """Return the frames that have an annotation file, or all, and count those left out."""
    kept = {stem: path for stem, path in images.items() if keep_all or stem in labels}
    if len(kept) < len(images):
        what = 'frames without annotation file (--keep-unlabelled keeps them)'
        problems.leave_out(what, len(images) - len(kept))
    return kept


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image from its header, after Exif rotation.

    Raises:
        ValueError: If the file is missing or broken.
    """
    try:
        return shown_size(path)
    except FileNotFoundError as error:
        raise ValueError(f'image {path} does not exist') from error
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f'image {path} cannot be read: {error}') from error


def video_of(number: int, frames: Mapping[str, Path], folder: str, source: str) -> AnnotatedVideo:
    """Return a video whose frames are images, without tracks.

    Args:
        number (int): Its id.
        frames (Mapping[str, Path]): The images in order.
        folder (str): Folder of the images in the names of frames, ``''`` for none.
        source (str): File or folder of the annotations, for messages.

    Raises:
        ValueError: If there is no image, the sizes differ, naming two frames, or an image cannot
            be read.
    """
    images = list(frames.values())
    if not images:
        raise ValueError(f'{source}: folder {folder!r} has no images; put the frames into it')
    sizes = [image_size(path) for path in images]
    for path, size in zip(images, sizes):
        if size != sizes[0]:
            raise ValueError(
                f'video {folder or source}: frame {images[0].name} is {sizes[0]} (height, width), '
                f'frame {path.name} is {size}; the frames of a video must have one size'
            )
    names = [str(PurePosixPath(folder, path.name)) for path in images]
    return AnnotatedVideo(number, *sizes[0], names, source)
