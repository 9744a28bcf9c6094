"""What is known of single frames, made when it is asked for."""

import os.path as osp
from collections.abc import Sequence

from pycocotools import mask as mask_api

from .video_annotations import AnnotatedTrack, AnnotatedVideo, Id


def instance_info(
    track: AnnotatedTrack, number: int, frame: int, label: int, video: AnnotatedVideo
) -> dict:
    """One object in one frame, as MMDetection's transforms know it.

    Args:
        track (AnnotatedTrack): The object, seen in the frame.
        number (int): Its place in the video.
        frame (int): The frame.
        label (int): Its class.
        video (AnnotatedVideo): The video.

    Returns:
        dict: ``bbox`` (xyxy, the file's, or the mask's if the file has
        none), ``bbox_label``, ``mask`` (compressed RLE), ``instance_id``
        and ``ignore_flag``.
    """
    rle = dict(size=[video.height, video.width], counts=track.counts[frame])
    x, y, w, h = track.bboxes[frame] or mask_api.toBbox(rle).tolist()
    return dict(
        bbox=[x, y, x + w, y + h],
        bbox_label=label,
        mask=rle,
        instance_id=number,
        ignore_flag=int(track.iscrowd),
    )


def frame_instances(video: AnnotatedVideo, frame: int, labels: dict[Id, int]) -> list[dict]:
    """Objects of known classes in one frame.

    The number of a track in its video is its ``instance_id``: whatever ids
    a file has, these are whole and distinct.
    """
    return [
        instance_info(track, number, frame, labels[track.category_id], video)
        for number, track in enumerate(video.tracks)
        if track.seen(frame) and track.category_id in labels
    ]


class LazyFrames(Sequence):
    """Sequence of a video's frames; a frame's dict is made when indexed.

    Args:
        video (AnnotatedVideo): The video.
        folder (str): Image folder, absolute or relative to the working
            directory.
        labels (dict): Category id -> label of the classes in use.
    """

    def __init__(self, video: AnnotatedVideo, folder: str, labels: dict[Id, int]) -> None:
        self.video = video
        self.folder = folder
        self.labels = labels

    def __len__(self) -> int:
        return len(self.video.file_names)

    def __getitem__(self, frame: int) -> dict:
        video = self.video
        frame = range(len(self))[frame]
        return dict(
            img_path=osp.join(self.folder, video.file_names[frame]),
            img_id=f'{video.id}/{frame}',
            video_id=video.id,
            video_length=len(video.file_names),
            frame_id=frame,
            source=video.source,
            height=video.height,
            width=video.width,
            instances=frame_instances(video, frame, self.labels),
        )
