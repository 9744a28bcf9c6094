"""Mask pictures as in DAVIS and MOTS: the value of a pixel is the object."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo
from mmcico.formats.problems import Problems
from mmcico.formats.rle import encode_masks
from mmcico.utils.image_reading import IMAGE_SUFFIXES

from .class_maps import ClassTable
from .frame_folders import files_by_stem, labelled, opened_picture, video_folders, video_of
from .object_classes import ObjectClasses

INDEX_MODES = ('P', 'L', 'I', 'I;16', 'I;16B', '1')
#: value of pixels that are not annotated in pictures of 8 bits
VOID = 255
#: MOTS: a pixel is 1000 * class + instance; objects of class 10 are regions to ignore
MOTS_BASE, IGNORED_CLASS = 1000, 10
#: classes of KITTI MOTS and MOTSChallenge
MOTS_CLASSES = {1: 'car', 2: 'pedestrian'}


@dataclass
class MaskFolders:
    """Folders of frames and masks, and how to read them.

    Attributes:
        images (Path): Folder with a folder of frames for each video.
        masks (Path): The same with a PNG for each frame.
        videos (Sequence[str], optional): Names of videos; all if left out.
        class_name (str): Class of objects that ``object_classes`` does not name.
        object_classes (Mapping): Video -> class, or -> ``{object: class}``.
        binary (bool): All values but 0 are one object (DAVIS 2016).
        keep_unlabelled (bool): Keep frames without a mask file as frames that show no object;
            they are left out otherwise.
        step (int): Take every ``step``-th frame.
        mots_classes (Mapping, optional): Class number -> name for pixels of
            1000 * class + instance, as in MOTS.
        ignored (Sequence[int], optional): Values of pixels that are not annotated; 255 in
            pictures of 8 bits, and 10000 with ``mots_classes``, if left out.
        problems (Problems): Counts what is left out, keeps warnings.
    """

    images: Path
    masks: Path
    videos: Sequence[str] | None = None
    class_name: str = 'object'
    object_classes: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False
    keep_unlabelled: bool = False
    step: int = 1
    mots_classes: Mapping[int, str] | None = None
    ignored: Sequence[int] | None = None
    problems: Problems = field(default_factory=lambda: Problems('masks'))

    def ignored_values(self, is_8_bit: bool) -> tuple[int, ...]:
        """Return the values of pixels that are not annotated."""
        if self.binary:
            return ()
        if self.ignored is not None:
            return tuple(self.ignored)
        return (
            *((VOID,) if is_8_bit else ()),
            *((IGNORED_CLASS * MOTS_BASE,) if self.mots_classes else ()),
        )


def read_index_mask(path: Path) -> tuple[np.ndarray, bool]:
    """Return the values (H, W) of a mask picture, palette indices as stored, and whether of 8 bits.

    Raises:
        ValueError: If it is broken or holds colours.
    """
    with opened_picture(path, f'mask {path}') as image:
        if image.mode not in INDEX_MODES:
            raise ValueError(
                f'mask {path} holds colours (mode {image.mode}), not indices of objects; save '
                'it with a palette or in grey'
            )
        values = np.array(image)
    return values.astype(np.uint8) if values.dtype == bool else values, values.itemsize == 1


def mask_videos(source: MaskFolders, table: ClassTable) -> Iterator[AnnotatedVideo]:
    """Yield the videos of folders of frames and of masks, one at a time, with ids from 1.

    Raises:
        ValueError: If a file cannot be used, or ``object_classes`` matches no object; the message
            names the file.
    """
    if source.step < 1:
        raise ValueError(f'step is {source.step}, choose 1 or more')
    folders = video_folders(source.masks, source.videos, 'masks')
    classes = ObjectClasses(source.object_classes, source.class_name)
    if source.mots_classes is None:
        table.number(classes.names(folders))
    else:
        table.number(source.mots_classes[key] for key in sorted(source.mots_classes))
    for number, name in enumerate(folders, start=1):
        yield _Video(source, table, name, classes).read(number)
    classes.report_unused(source.videos, source.masks, source.problems)


class _Video:
    """Reader of one folder of masks."""

    def __init__(
        self, source: MaskFolders, table: ClassTable, name: str, classes: ObjectClasses
    ) -> None:
        self.source, self.table, self.name, self.classes = source, table, name, classes
        self.folder = source.masks / name

    def read(self, number: int) -> AnnotatedVideo:
        """Read all frames."""
        images = self._frames()
        masks = files_by_stem(self.folder, ('.png',))
        source = str(self.source.masks)
        video = video_of(number, list(images.values()), self.name, source)
        per_frame = [
            self._read_frame(masks[stem], path, video.size) if stem in masks else {}
            for stem, path in images.items()
        ]
        if self.source.problems.left_out and not any(per_frame):
            self._check_binary(masks)
        video.tracks += self._tracks(per_frame)
        return video

    def _frames(self) -> dict[str, Path]:
        """Return the frames that are used, by their stem."""
        source, folder = self.source, self.folder
        image_folder = source.images / self.name
        if not image_folder.is_dir():
            raise ValueError(f'masks {folder}: there is no folder {image_folder} with the frames')
        images = files_by_stem(image_folder, IMAGE_SUFFIXES)
        masks = files_by_stem(folder, ('.png',))
        alone = [masks[stem].name for stem in masks if stem not in images]
        if alone:
            raise ValueError(
                f'masks {folder}: {alone[:5]} ({len(alone)} in all) have no frame of the same '
                f'name in {image_folder}'
            )
        stems = list(images)[:: source.step]
        kept = stems if source.keep_unlabelled else labelled(stems, masks, source.problems)
        if not kept:
            raise ValueError(
                f'video {self.name}: none of its {len(stems)} frames has a mask in {folder}'
            )
        return {stem: images[stem] for stem in kept}

    def _read_frame(
        self, path: Path, frame: Path, size: tuple[int, int]
    ) -> dict[int, bytes | None]:
        """Return the masks of a frame by their values."""
        values, is_8_bit = read_index_mask(path)
        if values.shape != size:
            raise ValueError(
                f'mask {path} is {values.shape} (height, width), its frame {frame} is {size}'
            )
        if self.source.binary:
            values = (values > 0).astype(np.uint8)
        ignored = self.source.ignored_values(is_8_bit)
        found: dict[int, bytes | None] = {}
        for key, pixels in zip(*(each.tolist() for each in np.unique(values, return_counts=True))):
            if key in ignored:
                self.source.problems.leave_out(
                    f'pixels of value {key}, which means "not annotated"', pixels
                )
            elif key:
                found[key] = encode_masks(values[None] == key)[0]
        return found

    def _check_binary(self, masks: Mapping[str, Path]) -> None:
        """Refuse masks that have no value but 0 and 255."""
        if any((read_index_mask(path)[0] == VOID).any() for path in masks.values()):
            raise ValueError(
                f'masks {self.folder} have no value but 0 and 255, which is "not annotated"; '
                'give --binary if 255 is the object, as in DAVIS 2016'
            )

    def _tracks(self, per_frame: list[dict[int, bytes | None]]) -> list[AnnotatedTrack]:
        """Return the objects in the order of their values."""
        keys = sorted({key for frame in per_frame for key in frame})
        if self.source.mots_classes is None and keys and keys[-1] >= MOTS_BASE:
            self.source.problems.warn(
                'mask',
                f'{self.folder} has values up to {keys[-1]}; give --mots if a value is '
                '1000 * class + instance, as in KITTI MOTS',
            )
        tracks = []
        for key in keys:
            name = self._class_name(key)
            where = f'{self.source.masks}: video {self.name}, object {key}'
            category = self.table.id_of(name, where)
            if category is None:
                self.table.left_out[name] += 1
                continue
            counts = [frame.get(key) for frame in per_frame]
            tracks.append(AnnotatedTrack(0, category, counts, [None] * len(counts)))
        return tracks

    def _class_name(self, key: int) -> str:
        """Return the class of an object.

        Raises:
            ValueError: If there is no name for it.
        """
        mots = self.source.mots_classes
        if mots is None:
            return self.classes.name_of(self.name, key)
        if key // MOTS_BASE not in mots:
            raise ValueError(
                f'masks {self.folder}: value {key} is of class {key // MOTS_BASE}; known are '
                f'{dict(mots)}. Name it with --mots, or ignore it with --ignore-values {key}'
            )
        return mots[key // MOTS_BASE]
