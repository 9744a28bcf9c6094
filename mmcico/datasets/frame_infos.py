"""Frames of annotated videos as MMDetection's transforms know them."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo
from mmcico.formats.fields import Id


def instance_info(
    track: AnnotatedTrack, number: int, frame: int, label: int, video: AnnotatedVideo
) -> dict:
    """Return one object in one frame as MMDetection's transforms know it.

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
    return dict(
        bbox=list(track.box(frame, video.size)),
        bbox_label=label,
        mask=dict(size=[*video.size], counts=track.counts[frame]),
        instance_id=number,
        ignore_flag=int(track.iscrowd),
    )


def frame_instances(video: AnnotatedVideo, frame: int, labels: dict[Id, int]) -> list[dict]:
    """Return the objects of known classes in one frame.

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
        allow_outside (bool): Do not check that images are in the folder.
    """

    def __init__(
        self, video: AnnotatedVideo, folder: str, labels: dict[Id, int], allow_outside: bool = False
    ) -> None:
        self.video = video
        self.folder = folder
        self.labels = labels
        self.allow_outside = allow_outside

    def __len__(self) -> int:
        return len(self.video.file_names)

    def __getitem__(self, frame: Any) -> Any:
        """Return the dict of one frame."""
        video = self.video
        frame = range(len(self))[frame]
        return dict(
            img_path=osp.join(self.folder, video.file_names[frame]),
            img_id=f'{video.id}/{frame}',
            video_id=video.id,
            video_length=len(self),
            ori_video_length=len(self),  # MMDetection has the length of a part in video_length
            frame_id=frame,
            source=video.source,
            img_folder=None if self.allow_outside else self.folder,
            img_name=video.file_names[frame],
            height=video.height,
            width=video.width,
            instances=frame_instances(video, frame, self.labels),
        )
