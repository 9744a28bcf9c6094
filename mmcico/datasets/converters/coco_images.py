"""Images of COCO as short videos, for training before real video."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.cocovid import read_cocovid, track_id
from mmcico.formats.fields import id_key, read_tables
from mmcico.formats.problems import Problems
from mmcico.utils.files import is_below
from mmcico.utils.image_reading import write_jpeg

from .class_maps import ClassTable
from .collect import FreeNumbers
from .json_files import whole
from .pseudo_motion import Motion, moved_counts, moved_image


@dataclass
class StillVideo:
    """Makes videos of ``num_frames`` equal images, without writing any image.

    Attributes:
        num_frames (int): Frames of each video.
    """

    num_frames: int = 1

    def __call__(self, video: AnnotatedVideo) -> AnnotatedVideo:
        """Repeat a video of one frame."""
        return _repeated(video, self.num_frames)


@dataclass
class MovingVideo:
    """Makes videos of copies of the image that are rotated, scaled and shifted a little.

    Attributes:
        motion (Motion): Size of the motion.
        seed (int): Seed of the motions.
        images (Path): Folder of the source's images.
        out (Path): Folder to write frames to, one folder for each image.
    """

    motion: Motion
    seed: int
    images: Path
    out: Path

    def __post_init__(self) -> None:
        self._folders: set[str] = set()

    def __call__(self, video: AnnotatedVideo) -> AnnotatedVideo:
        """Turn a video of one frame into a moving one and write its frames.

        Raises:
            ValueError: If the image is outside of the folder, missing, broken or of another size,
                or two images would have one folder.
        """
        name = video.file_names[0]
        if not is_below(name):
            raise ValueError(
                f'{video.source}: image {name} lies outside of the folder of the images; name '
                'images by their paths in it'
            )
        image = self._read(video)
        folder = str(PurePosixPath(name).with_suffix(''))
        if folder in self._folders:
            raise ValueError(
                f'{video.source}: image {name}: another image has this name but for its suffix'
            )
        self._folders.add(folder)
        matrices = self.motion.matrices(name, self.seed, video.size)
        names = [f'{folder}/{t:05d}.jpg' for t in range(len(matrices))]
        for file, matrix in zip(names, matrices):
            write_jpeg(self.out / file, moved_image(image, matrix))
        moving = _repeated(video, len(names))
        moving.file_names = names
        for track in moving.tracks:
            track.counts = [
                counts and moved_counts(counts, video.size, matrix)
                for counts, matrix in zip(track.counts, matrices)
            ]
            track.bboxes = [None] * len(names)
        return moving

    def _read(self, video: AnnotatedVideo) -> np.ndarray:
        path = self.images / video.file_names[0]
        image = cv2.imread(str(path))
        if image is None:
            raise ValueError(f'{video.source}: image {path} is missing or broken')
        if image.shape[:2] != video.size:
            raise ValueError(
                f'{video.source}: image {path} is {image.shape[:2]} (height, width), its '
                f'annotation file says {video.size}'
            )
        return image


def _repeated(video: AnnotatedVideo, num_frames: int) -> AnnotatedVideo:
    """Repeat the frame of a video."""
    tracks = [
        replace(
            track,
            counts=track.counts * num_frames,
            bboxes=track.bboxes * num_frames,
            areas=None,
            pixels=track.pixels * num_frames,
        )
        for track in video.tracks
    ]
    names = video.file_names * num_frames
    return replace(video, file_names=names, num_frames=num_frames, tracks=tracks)


def coco_videos(
    data: dict,
    name: str,
    table: ClassTable,
    unfold: StillVideo | MovingVideo,
    keep_empty: bool = True,
    problems: Problems | None = None,
    crowds_as_objects: bool = False,
) -> Iterator[AnnotatedVideo]:
    """Yield a video for each image of parsed JSON of instances in COCO's layout.

    ``unfold`` makes the frames. A video has the image's id if that is a whole number above 0, else
    a free one. Images without an object are left out unless ``keep_empty`` is set;
    ``crowds_as_objects`` takes ``iscrowd`` as 0.

    Raises:
        ValueError: If the file is not sound, or a class has no match.
    """
    problems = problems or Problems(name)
    if isinstance(data, dict) and isinstance(data.get('videos'), list):
        raise ValueError(
            f"{name} has the list 'videos'; this conversion is for images, use the one from CocoVID"
        )
    file = read_cocovid(_one_frame_each(data, problems), problems, crowds_as_objects)
    names = {id_key(key): text for key, text in file.categories}
    new_ids = table.match(data['categories'], name)
    numbers = FreeNumbers()
    for video in file.videos:
        tracks = []
        for track in video.tracks:
            new = table.new_category(track.category_id, new_ids, names)
            if new is None:
                continue
            own = data['annotations'][track.position].get('id', 0)
            tracks.append(replace(track, id=whole(own), category_id=new))
        video = replace(video, id=numbers.take(whole(video.id)), tracks=tracks)
        if keep_empty or any(any(track.counts) for track in video.tracks):
            yield unfold(video)
        else:
            problems.leave_out('images without an object')


def _one_frame_each(data: dict, problems: Problems) -> dict[str, Any]:
    """Return a file of images as CocoVID: each image a video, each annotation a track."""
    tables = read_tables(data, ('images', 'categories'), problems)
    if any(track_id(each) is not None for each in tables['annotations']):
        problems.warn(
            'id',
            'annotations have track ids, which are lost here; the conversion "cocovid" keeps the '
            'objects of a video',
        )
    return dict(
        tables,
        videos=[dict(id=each.get('id')) for each in tables['images']],
        images=[dict(i, video_id=i.get('id'), frame_id=0) for i in tables['images']],
        annotations=[dict(a, instance_id=n) for n, a in enumerate(tables['annotations'])],
    )
