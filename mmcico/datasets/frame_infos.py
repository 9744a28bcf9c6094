"""What is known of single frames, made when it is asked for."""
import os.path as osp
from typing import Dict, List

import numpy as np
from pycocotools import mask as mask_api

from .video_annotations import AnnotatedTrack, AnnotatedVideo, Id


def to_rle(segmentation: object, height: int, width: int,
           where: str) -> dict:
    """Compressed RLE of a polygon list or any RLE.

    Args:
        segmentation (dict | list): As files have it.
        height (int): Of the frame, pixels.
        width (int): Of the frame, pixels.
        where (str): File, video, frame and object, for messages.

    Returns:
        dict: ``size`` and compressed ``counts``.

    Raises:
        ValueError: If it is neither, or of another size.
    """
    if isinstance(segmentation, list):
        polygons = [p for p in segmentation if len(p) >= 6]
        return mask_api.merge(
            mask_api.frPyObjects(polygons or [[0] * 6], height, width))
    if not isinstance(segmentation, dict) or not {
            'size', 'counts'} <= set(segmentation):
        raise ValueError(f'{where}: segmentation {str(segmentation)[:40]!r} '
                         "is neither RLE ('size', 'counts') nor polygons")
    if list(segmentation['size']) != [height, width]:
        raise ValueError(
            f"{where}: segmentation has 'size' {segmentation['size']}, the "
            f'video is {[height, width]} (height, width)')
    if isinstance(segmentation['counts'], list):
        return mask_api.frPyObjects(segmentation, height, width)
    return segmentation


def instance_info(track: AnnotatedTrack, number: int, frame: int, label: int,
                  video: AnnotatedVideo) -> dict:
    """One object in one frame, as MMDetection's transforms know it."""
    where = (f'{video.source}: video {video.id!r}, frame {frame} '
             f'({video.file_names[frame]}), annotation {track.id!r}')
    rle = to_rle(track.segmentations[frame], video.height, video.width,
                 where)
    x, y, w, h = track.bboxes[frame] or mask_api.toBbox(rle).tolist()
    return dict(
        bbox=[x, y, x + w, y + h],
        bbox_label=label,
        mask=rle,
        instance_id=number,
        ignore_flag=int(track.iscrowd))


def frame_instances(video: AnnotatedVideo, frame: int,
                    labels: Dict[Id, int]) -> List[dict]:
    """Objects of known classes in one frame.

    The number of a track in its video is its ``instance_id``: whatever ids
    a file has, these are whole and distinct.
    """
    return [
        instance_info(track, number, frame, labels[track.category_id], video)
        for number, track in enumerate(video.tracks)
        if track.seen(frame) and track.category_id in labels
    ]


class LazyFrames:
    """Sequence of a video's frames; a frame's dict is made when indexed.

    Args:
        video (AnnotatedVideo): The video.
        folder (str): Image folder, absolute or relative to the working
            directory.
        labels (dict): Category id -> label of the classes in use.
    """

    def __init__(self, video: AnnotatedVideo, folder: str,
                 labels: Dict[Id, int]) -> None:
        self.video = video
        self.folder = folder
        self.labels = labels

    def __len__(self) -> int:
        return len(self.video.file_names)

    def __getitem__(self, frame: int) -> dict:
        video = self.video
        return dict(
            img_path=osp.join(self.folder, video.file_names[frame]),
            img_id=f'{video.id}/{frame}',
            video_id=video.id,
            video_length=len(video.file_names),
            frame_id=frame,
            source=video.source,
            height=video.height,
            width=video.width,
            instances=frame_instances(video, frame, self.labels))


def decode_masks(instances: List[dict], height: int,
                 width: int) -> np.ndarray:
    """(n, H, W) uint8 masks of the objects of a frame."""
    if not instances:
        return np.zeros((0, height, width), dtype=np.uint8)
    planes = mask_api.decode([each['mask'] for each in instances])
    return np.ascontiguousarray(planes.transpose(2, 0, 1))
