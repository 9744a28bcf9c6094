"""Videos for benchmarks, with the boxes of their objects if they are known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools import mask as mask_api

from mmcico.apis import open_source
from mmcico.datasets.moving_shapes import Track, generate_video, make_config
from mmcico.formats.read import read_annotations
from mmcico.utils.image_reading import write_jpeg

#: box of a track in frames that do not show it
NO_BOX = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class SpeedVideo:
    """A video in files.

    Attributes:
        source (str): Folder of images or video file.
        frames (list[ndarray]): (H, W, 3) uint8 BGR.
        boxes (ndarray, optional): (F, G, 4) xyxy of the objects in pixels, zeros in frames that do
            not show an object. None if the objects are not known.
        labels (ndarray, optional): (G,) labels of the objects.
    """

    source: str
    frames: list[np.ndarray]
    boxes: np.ndarray | None = None
    labels: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """tuple[int, int]: Height and width."""
        height, width = self.frames[0].shape[:2]
        return height, width


def track_boxes(track: Track) -> np.ndarray:
    """Return the boxes (F, 4) of a generated object, zeros in frames that do not show it."""
    planes = np.asfortranarray(track.masks.transpose(1, 2, 0), dtype=np.uint8)
    boxes = mask_api.toBbox(mask_api.encode(planes))
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def generated(
    folder: str | Path, num_frames: int, size: tuple[int, int], objects: int, seed: int = 0
) -> SpeedVideo:
    """Write a video of moving shapes.

    Args:
        folder (str | Path): Folder for the images, which is created if necessary.
        num_frames (int): F.
        size (tuple[int, int]): Height and width.
        objects (int): Number of objects.
        seed (int): Seed of the video.

    Returns:
        SpeedVideo: Frames as read from the files, and the objects.
    """
    config = make_config('easy', num_frames=num_frames, size=size, objects=(objects, objects))
    frames, tracks = generate_video(seed, 0, config)
    for number, frame in enumerate(frames):
        write_jpeg(Path(folder, f'{number:05d}.jpg'), frame)
    return SpeedVideo(
        str(folder),
        list(open_source(str(folder))),
        np.stack([track_boxes(track) for track in tracks], axis=1),
        np.array([track.label for track in tracks]),
    )


def opened(source: str, max_frames: int, annotations: str | None = None) -> SpeedVideo:
    """Open a video file or a folder of images.

    Args:
        source (str): Path of the file or folder.
        max_frames (int): Number of frames after which the video is cut.
        annotations (str, optional): Annotation file with the video, whose frames are in a folder of
            the same name.

    Raises:
        ValueError: If the annotation file has no such video.
    """
    frames = [frame for frame, _ in zip(open_source(source), range(max_frames))]
    if annotations is None:
        return SpeedVideo(source, frames)
    file = read_annotations(annotations)
    name = Path(source).name
    for video in file.videos:
        if video.file_names and Path(video.file_names[0]).parent.name == name:
            break
    else:
        raise ValueError(f'{annotations} has no video whose frames are in a folder "{name}"')
    order = [category for category, _ in file.categories]
    boxes = [
        [t.box(f, video.size) if t.seen(f) else NO_BOX for t in video.tracks]
        for f in range(len(frames))
    ]
    return SpeedVideo(
        source,
        frames,
        np.array(boxes).reshape(len(frames), -1, 4),
        np.array([order.index(track.category_id) for track in video.tracks]),
    )
