"""Mask pictures as in DAVIS and MOTS: the value of a pixel is the object."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.problems import Problems
from mmcico.formats.rle import encode_masks
from mmcico.utils.image_reading import decoded_image

from .class_maps import ClassTable
from .frame_folders import files_by_stem, frames_in, labelled, video_folders, video_of

INDEX_MODES = ('P', 'L', 'I', 'I;16', 'I;16B', '1')
#: value of pixels that are not annotated in pictures of 8 bits
VOID = 255
#: MOTS: a pixel is 1000 * class + instance; objects of class 10 are regions to ignore
MOTS_BASE, IGNORED_CLASS = 1000, 10
#: classes of KITTI MOTS and MOTSChallenge
MOTS_CLASSES = {1: 'car', 2: 'pedestrian'}


def read_object_classes(data: Any, name: str) -> dict[str, Any]:
    """Return the classes of objects by video, of the content of a file.

    It is ``{"video": "dog"}``, ``{"video": {"1": "dog"}}``, or the ``meta.json`` of YouTube-VOS.

    Raises:
        ValueError: If the file is neither.
    """
    if isinstance(data, dict) and isinstance(data.get('videos'), dict):
        data = {video: _vos_classes(entry) for video, entry in data['videos'].items()}
    if not isinstance(data, dict) or not all(
        isinstance(name, str)
        for entry in data.values()
        for name in (entry.values() if isinstance(entry, dict) else [entry])
    ):
        raise ValueError(
            f'{name}: expected an object {{"video": {{"1": "dog"}}}} or {{"video": "dog"}}, or '
            'the meta.json of YouTube-VOS'
        )
    return data


def _vos_classes(entry: Any) -> Any:
    """Return object -> class of a video in YouTube-VOS' meta.json."""
    objects = entry.get('objects') if isinstance(entry, dict) else None
    if not isinstance(objects, dict) or not all(isinstance(o, dict) for o in objects.values()):
        return None
    return {key: each.get('category') for key, each in objects.items()}


def read_index_mask(path: Path) -> tuple[np.ndarray, bool]:
    """Return the values (H, W) of a mask picture, palette indices as stored, and whether of 8 bits.

    Raises:
        ValueError: If it is broken or holds colours.
    """
    image = decoded_image(path, f'mask {path}')
    if image.mode not in INDEX_MODES:
        raise ValueError(
            f'mask {path} holds colours (mode {image.mode}), not indices of objects; save it with '
            'a palette or in grey'
        )
    values = np.array(image)
    return values.astype(np.uint8) if values.dtype == bool else values, values.itemsize == 1


@dataclass
class MaskFolders:
    """Videos of folders of frames and of masks, with ids from 1, to be iterated over once.

    Attributes:
        images (Path): Folder with a folder of frames for each video.
        masks (Path): The same with a PNG for each frame.
        table (ClassTable): Gets the classes.
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
    table: ClassTable
    videos: Sequence[str] | None = None
    class_name: str = 'object'
    object_classes: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False
    keep_unlabelled: bool = False
    step: int = 1
    mots_classes: Mapping[int, str] | None = None
    ignored: Sequence[int] | None = None
    problems: Problems = field(default_factory=lambda: Problems('masks'))

    def __post_init__(self) -> None:
        #: (video, object) -> class; the object is None for all of a video
        self._classes: dict[tuple[str, str | None], str] = {
            (video, key): name
            for video, entry in self.object_classes.items()
            for key, name in (entry.items() if isinstance(entry, Mapping) else [(None, entry)])
        }
        self._used: set[tuple[str, str | None]] = set()

    def __iter__(self) -> Iterator[AnnotatedVideo]:
        """Read the videos.

        Raises:
            ValueError: If a file cannot be used, or ``object_classes`` matches no object; the
                message names the file.
        """
        if self.step < 1:
            raise ValueError(f'step is {self.step}, choose 1 or more')
        folders = video_folders(self.masks, self.videos, 'masks')
        self.table.number(self._names(folders))
        for number, (name, folder) in enumerate(folders.items(), start=1):
            masks = files_by_stem(folder, ('.png',))
            images = self._frames(name, masks)
            video = video_of(number, images, name, str(self.masks))
            per_frame = [
                self._read_frame(masks[stem], path, video.size) if stem in masks else {}
                for stem, path in images.items()
            ]
            if self.problems.left_out and not any(per_frame):
                self._check_binary(folder, masks.values())
            self._add_objects(video, name, per_frame)
            yield video
        self._report_unused()

    def _names(self, videos: Iterable[str]) -> Iterable[str]:
        """Return the names of the classes of some videos."""
        if self.mots_classes is not None:
            return self.mots_classes.values()
        return [name for (video, _), name in self._classes.items() if video in videos]

    def _frames(self, name: str, masks: Mapping[str, Path]) -> dict[str, Path]:
        """Return the frames of a video that are used, by their stem."""
        folder, mask_folder = self.images / name, self.masks / name
        images = frames_in(folder, f'masks {mask_folder}')
        alone = [path.name for stem, path in masks.items() if stem not in images]
        if alone:
            raise ValueError(
                f'masks {mask_folder}: {alone[:5]} ({len(alone)} in all) have no frame of the same '
                f'name in {folder}'
            )
        chosen = dict(list(images.items())[:: self.step])
        kept = labelled(chosen, masks, self.keep_unlabelled, self.problems)
        if not kept:
            raise ValueError(
                f'video {name}: none of its {len(chosen)} frames has a mask in {mask_folder}'
            )
        return kept

    def _read_frame(
        self, path: Path, frame: Path, size: tuple[int, int]
    ) -> dict[int, bytes | None]:
        """Return the masks of a frame by their values."""
        values, is_8_bit = read_index_mask(path)
        if values.shape != size:
            raise ValueError(
                f'mask {path} is {values.shape} (height, width), its frame {frame} is {size}'
            )
        ignored = self.ignored
        if self.binary:
            values, ignored = (values > 0).astype(np.uint8), ()
        elif ignored is None:
            usual = {VOID: is_8_bit, IGNORED_CLASS * MOTS_BASE: bool(self.mots_classes)}
            ignored = [value for value, is_ignored in usual.items() if is_ignored]
        found: dict[int, bytes | None] = {}
        for key, pixels in zip(*(each.tolist() for each in np.unique(values, return_counts=True))):
            if key in ignored:
                what = f'pixels of value {key}, which means "not annotated"'
                self.problems.leave_out(what, pixels)
            elif key:
                found[key] = encode_masks(values[None] == key)[0]
        return found

    def _check_binary(self, folder: Path, masks: Iterable[Path]) -> None:
        """Refuse masks that have no value but 0 and 255."""
        if any((read_index_mask(path)[0] == VOID).any() for path in masks):
            raise ValueError(
                f'masks {folder} have no value but 0 and 255, which is "not annotated"; '
                'give --binary if 255 is the object, as in DAVIS 2016'
            )

    def _add_objects(
        self, video: AnnotatedVideo, name: str, per_frame: list[dict[int, bytes | None]]
    ) -> None:
        """Add the objects to their video in the order of their values."""
        keys = sorted({key for frame in per_frame for key in frame})
        if self.mots_classes is None and keys and keys[-1] >= MOTS_BASE:
            self.problems.warn(
                'mask',
                f'{self.masks / name} has values up to {keys[-1]}; give --mots if a value is '
                '1000 * class + instance, as in KITTI MOTS',
            )
        for key in keys:
            label = self._class_of(name, key)
            category = self.table.id_of(label, f'{self.masks}: video {name}, object {key}')
            counts = [frame.get(key) for frame in per_frame]
            self.table.add_object(video, label, category, counts)

    def _class_of(self, video: str, key: int) -> str:
        """Return the name of the class of an object.

        Raises:
            ValueError: If there is none for its number.
        """
        if self.mots_classes is None:
            for entry in ((video, str(key)), (video, None)):
                if entry in self._classes:
                    self._used.add(entry)
                    return self._classes[entry]
            return self.class_name
        if key // MOTS_BASE not in self.mots_classes:
            raise ValueError(
                f'masks {self.masks / video}: value {key} is of class {key // MOTS_BASE}; known '
                f'are {dict(self.mots_classes)}. Name it with --mots, or ignore it with '
                f'--ignore-values {key}'
            )
        return self.mots_classes[key // MOTS_BASE]

    def _report_unused(self) -> None:
        """Warn of entries of the chosen videos that match no object.

        Raises:
            ValueError: If no entry matches an object.
        """
        entries = [each for each in self._classes if self.videos is None or each[0] in self.videos]
        unused = [entry for entry in entries if entry not in self._used]
        if not unused:
            return
        video, key = unused[0]
        what = f'video {video!r}' + (f', object {key}' if key else '')
        message = (
            f'object classes: {len(unused)} of {len(entries)} entries match no object, the first '
            f'is {what}; names of videos are names of folders in {self.masks}'
        )
        if len(unused) == len(entries):
            raise ValueError(message)
        self.problems.warn('category', message)
