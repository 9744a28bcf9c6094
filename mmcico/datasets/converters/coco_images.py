"""Images of COCO as short videos, for training before real video."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from ..fields import (
    by_id,
    id_key,
    look_up,
    read_annotations_list,
    read_bbox,
    read_categories,
    read_crowd,
    read_size,
    required,
    required_list,
)
from ..masks import compress_mask
from ..video_annotations import AnnotatedTrack, AnnotatedVideo, Id
from .class_maps import ClassTable
from .json_source import whole
from .pseudo_motion import Motion, moved_counts, moved_image
from .vis_writer import FreeNumbers

JPEG_QUALITY = 95


@dataclass
class StillVideo:
    """``num_frames`` times the same image; nothing is written.

    Attributes:
        num_frames (int): Frames of each video.
    """

    num_frames: int = 1

    def __call__(self, video: AnnotatedVideo) -> AnnotatedVideo:
        """A video of one frame -> its repetition."""
        return _repeated(video, self.num_frames)


@dataclass
class MovingVideo:
    """Copies of the image that turn, grow and shift a little.

    Attributes:
        motion (Motion): How far.
        seed (int): Other seeds give other motions.
        images (Path): Folder of the source's images.
        out (Path): Folder to write frames to, one folder an image.
    """

    motion: Motion
    seed: int
    images: Path
    out: Path

    def __post_init__(self) -> None:
        self._folders: set[str] = set()

    def __call__(self, video: AnnotatedVideo) -> AnnotatedVideo:
        """A video of one frame -> the moving one; its frames are written.

        Raises:
            ValueError: If the image is missing, broken or of another size,
                or two images would have one folder.
        """
        name = video.file_names[0]
        image = cv2.imread(str(self.images / name))
        size = (video.height, video.width)
        if image is None or image.shape[:2] != size:
            found = (
                'missing or broken'
                if image is None
                else (f'{image.shape[:2]}, its annotation file says {size}')
            )
            raise ValueError(f'{video.source}: image {self.images / name} is {found}')
        folder = str(PurePosixPath(name).with_suffix(''))
        if folder in self._folders:
            raise ValueError(
                f'{video.source}: image {name}: another image has this name but for its suffix'
            )
        self._folders.add(folder)
        matrices = self.motion.matrices(name, self.seed, size)
        (self.out / folder).mkdir(parents=True, exist_ok=True)
        names = [f'{folder}/{t:05d}.jpg' for t in range(len(matrices))]
        for file, matrix in zip(names, matrices):
            _write(self.out / file, moved_image(image, matrix))
        moving = _repeated(video, len(names))
        moving.file_names = names
        for track in moving.tracks:
            track.counts = [
                counts and moved_counts(counts, size, matrix)
                for counts, matrix in zip(track.counts, matrices)
            ]
            track.bboxes = [None] * len(names)
        return moving


def _write(path: Path, image: np.ndarray) -> None:
    """Write a frame, (H, W, 3) uint8."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    if not cv2.imwrite(str(path), image, flags):
        raise OSError(f'cannot write the frame {path}')


def _repeated(video: AnnotatedVideo, num_frames: int) -> AnnotatedVideo:
    """A video of one frame -> one of ``num_frames`` equal ones."""
    tracks = [
        AnnotatedTrack(t.id, t.category_id, t.counts * num_frames, t.bboxes * num_frames, t.iscrowd)
        for t in video.tracks
    ]
    return AnnotatedVideo(
        video.id, video.height, video.width, video.file_names * num_frames, video.source, tracks
    )


def coco_videos(
    data: dict,
    name: str,
    table: ClassTable,
    unfold: StillVideo | MovingVideo,
    keep_empty: bool = True,
) -> Iterator[AnnotatedVideo]:
    """A video for each image.

    Args:
        data (dict): The parsed JSON of instances in COCO's layout; entries
            of its annotations are let go as they are used.
        name (str): Of the file, for messages.
        table (ClassTable): Filled with the classes of the file.
        unfold (StillVideo | MovingVideo): Makes the frames.
        keep_empty (bool): Images without an object become videos, too.

    Yields:
        AnnotatedVideo: With the image's id where that is a whole number
        above 0, else a free one.

    Raises:
        ValueError: If the file is not sound, or a class has no match.
    """
    if isinstance(data.get('videos'), list):
        raise ValueError(
            f"{name} has the list 'videos'; this conversion is for images, use the one from CocoVID"
        )
    images = by_id(required_list(data, 'images', name), 'image', name)
    categories = {id_key(k): text for k, text in read_categories(data, name)}
    new_ids = table.match(data['categories'], name)
    objects: dict[str, list[dict]] = {}
    for number, record in enumerate(read_annotations_list(data, name)):
        look_up(images, record, 'image_id', 'images', f'{name}: annotation no. {number}')
        look_up(
            categories,
            record,
            'category_id',
            'categories',
            f'{name}: annotation {record.get("id", number)!r}',
        )
        objects.setdefault(id_key(record['image_id']), []).append(record)
    numbers = FreeNumbers()
    for key, image in images.items():
        video = one_frame_video(image, name)
        video.id = numbers.take(whole(video.id))
        for record in objects.pop(key, []):
            old = id_key(record['category_id'])
            if new_ids[old] is None:
                table.count_left_out(categories[old])
                continue
            video.tracks.append(one_frame_track(record, new_ids[old], video))
        if keep_empty or any(any(t.counts) for t in video.tracks):
            yield unfold(video)


def one_frame_video(image: dict, name: str) -> AnnotatedVideo:
    """An entry of ``images`` as a video."""
    where = f'{name}: image {image["id"]!r}'
    height, width = read_size(image, where)
    file_name = str(required(image, 'file_name', where))
    return AnnotatedVideo(image['id'], height, width, [file_name], name)


def one_frame_track(
    record: dict[str, Any], category: Id | None, video: AnnotatedVideo
) -> AnnotatedTrack:
    """An entry of ``annotations`` as an object of one frame.

    Raises:
        ValueError: If it has no mask, or a broken one.
    """
    where = f'{video.where(0)}, annotation {record.get("id")!r}'
    if 'segmentation' not in record:
        raise ValueError(f"{where} has no field 'segmentation'; boxes alone are not enough")
    counts = compress_mask(
        record['segmentation'], video.height, video.width, f"{where}, field 'segmentation'"
    )
    box: tuple[float, ...] | None = read_bbox(record.get('bbox'), f"{where}, field 'bbox'")
    return AnnotatedTrack(
        whole(record.get('id', 0)), category, [counts], [box], read_crowd(record, where)
    )
