"""Folders with one file a frame."""

from collections.abc import Sequence
from pathlib import Path

from mmcico.utils.image_size import image_size as shown_size
from mmcico.utils.natural_order import natural_key


def video_folders(root: Path, wanted: Sequence[str] | None, what: str) -> list[Path]:
    """Folders of the videos, in natural order or as they are listed.

    Args:
        root (Path): Folder of folders.
        wanted (Sequence[str], optional): Names; all if left out.
        what (str): What the folder is for, in messages.

    Raises:
        ValueError: If there are none, or a wanted one is missing.
    """
    if not root.is_dir():
        raise ValueError(f'{what}: {root} is no folder')
    if wanted is None:
        found = sorted(
            (each for each in root.iterdir() if each.is_dir()),
            key=lambda each: natural_key(each.name),
        )
    else:
        found = [root / name for name in wanted]
        missing = [str(each) for each in found if not each.is_dir()]
        if missing:
            raise ValueError(f'{what}: no such folders: {missing}')
    if not found:
        raise ValueError(f'{what}: {root} has no folders; each video needs one with its frames')
    return found


def files_by_stem(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Files of a folder by their names without suffix, in natural order.

    Raises:
        ValueError: If two have the same name but for the suffix.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: natural_key(p.name)):
        if path.suffix.lower() not in suffixes or path.name.startswith('.'):
            continue
        if path.stem in found:
            raise ValueError(
                f'{folder}: {found[path.stem].name} and {path.name} are the same frame; remove one'
            )
        found[path.stem] = path
    return found


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) from the header of an image, after Exif rotation.

    Raises:
        ValueError: If it is missing or broken.
    """
    try:
        return shown_size(path)
    except FileNotFoundError as error:
        raise ValueError(f'image {path} does not exist') from error
    except OSError as error:
        raise ValueError(f'image {path} cannot be read: {error}') from error


def one_size(sizes: dict[str, tuple[int, int]], where: str) -> tuple[int, int]:
    """The size that all frames of a video have.

    Args:
        sizes (dict): Frame -> (height, width).
        where (str): The video, for messages.

    Raises:
        ValueError: If they differ, naming two frames.
    """
    first, size = next(iter(sizes.items()))
    for frame, other in sizes.items():
        if other != size:
            raise ValueError(
                f'{where}: frame {first} is {size} (height, width), frame '
                f'{frame} is {other}; the frames of a video must have one '
                'size'
            )
    return size
