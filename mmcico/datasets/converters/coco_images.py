"""Images of COCO as short videos, for training before real video."""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.cocovid import read_cocovid, track_id
from mmcico.formats.fields import read_tables
from mmcico.formats.problems import Problems
from mmcico.formats.rle import decode_masks, encode_masks
from mmcico.utils.files import is_below
from mmcico.utils.image_reading import write_jpeg

from .class_maps import ClassTable
from .collect import FreeNumbers
from .json_files import whole

#: greatest differences of the first and the last frame from the unchanged image in the middle:
#: degrees, change of size, shift as a share of height and width
ROTATION, ZOOM, SHIFT = 6.0, 0.1, 0.06
#: colour outside of the image: ImageNet's mean, BGR
BORDER = (104, 116, 124)


def still_video(video: AnnotatedVideo, num_frames: int = 1) -> AnnotatedVideo:
    """Repeat a video of one frame, without writing any image."""
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


@dataclass
class MovingVideo:
    """Makes videos of copies of the image that are rotated, scaled and shifted a little.

    The motion is that of a camera at constant speed; each image draws its own amounts.

    Attributes:
        num_frames (int): Frames of each video.
        seed (int): Seed of the motions.
        images (Path): Folder of the source's images.
        out (Path): Folder to write frames to, one folder for each image.
    """

    num_frames: int
    seed: int
    images: Path
    out: Path
    _folders: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        if self.num_frames < 2:
            raise ValueError(
                f'a moving video of {self.num_frames} frame: choose 2 frames or more, or no motion'
            )

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
        path = self.images / name
        image = cv2.imread(str(path))
        if image is None:
            raise ValueError(f'{video.source}: image {path} is missing or broken')
        if image.shape[:2] != video.size:
            raise ValueError(
                f'{video.source}: image {path} is {image.shape[:2]} (height, width), its '
                f'annotation file says {video.size}'
            )
        folder = str(PurePosixPath(name).with_suffix(''))
        if folder in self._folders:
            raise ValueError(
                f'{video.source}: image {name}: another image has this name but for its suffix'
            )
        self._folders.add(folder)
        matrices = motion_matrices(self.num_frames, name, self.seed, video.size)
        names = [f'{folder}/{t:05d}.jpg' for t in range(self.num_frames)]
        for file, matrix in zip(names, matrices):
            moved = cv2.warpAffine(image, matrix, image.shape[1::-1], borderValue=BORDER)
            write_jpeg(self.out / file, moved)
        moving = replace(still_video(video, self.num_frames), file_names=names)
        for track in moving.tracks:
            track.counts = [
                counts and moved_counts(counts, video.size, matrix)
                for counts, matrix in zip(track.counts, matrices)
            ]
            track.bboxes = [None] * len(names)
        return moving


def motion_matrices(num_frames: int, name: str, seed: int, size: tuple[int, int]) -> np.ndarray:
    """Return the (T, 2, 3) matrices from (x, y, 1) of an image to (x, y) of each frame.

    The name of the image determines its motion, together with the seed; ``size`` is height and
    width.
    """
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    angle, zoom, right, down = random.uniform(-1, 1, 4).tolist()
    height, width = size
    return np.stack(
        [
            affine(
                math.radians(angle * ROTATION * time),
                (1 + ZOOM) ** (zoom * time),
                (right * SHIFT * width * time, down * SHIFT * height * time),
                size,
            )
            for time in np.linspace(-1, 1, num_frames).tolist()
        ]
    )


def affine(
    angle: float, scale: float, shift: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Return the (2, 3) matrix that rotates and scales around the centre, then shifts.

    The angle is in radians, from x towards y, the shift to the right and down in pixels, and
    ``size`` the height and width.
    """
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return np.column_stack([turn, centre - turn @ centre + shift])


def moved_counts(counts: bytes, size: tuple[int, int], matrix: np.ndarray) -> bytes | None:
    """Apply a (2, 3) matrix to a mask, as compressed RLE; None if the object has left the frame."""
    mask = decode_masks([counts], *size)[0]
    share = cv2.warpAffine(mask.astype(np.float32), matrix, size[::-1])
    return encode_masks(share[None] > 0.5)[0]


def coco_videos(
    data: dict,
    name: str,
    table: ClassTable,
    unfold: Callable[[AnnotatedVideo], AnnotatedVideo],
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
    table.match(data['categories'], name)
    numbers = FreeNumbers()
    for video in file.videos:
        tracks = [
            replace(track, id=whole(data['annotations'][track.position].get('id', 0)))
            for track in table.kept(video)
        ]
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
