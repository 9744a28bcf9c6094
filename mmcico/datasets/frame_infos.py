"""Frames of annotated videos in the form that MMDetection's transforms take."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmcico.formats.annotations import AnnotatedVideo
from mmcico.formats.fields import Id


def frame_instances(video: AnnotatedVideo, frame: int, labels: dict[Id, int]) -> list[dict]:
    """Return the objects in a frame whose classes have labels, by category id.

    Each has ``bbox`` (xyxy, the file's, or the mask's if the file has none), ``bbox_label``,
    ``mask`` (compressed RLE), ``instance_id`` and ``ignore_flag``. The id is the number of the
    track in its video: it is whole and distinct, whatever ids a file has.
    """
    return [
        dict(
            bbox=list(track.box(frame, video.size)),
            bbox_label=labels[track.category_id],
            mask=dict(size=[*video.size], counts=track.counts[frame]),
            instance_id=number,
            ignore_flag=int(track.iscrowd),
        )
        for number, track in enumerate(video.tracks)
        if track.seen(frame) and track.category_id in labels
    ]


class LazyFrames(Sequence):
    """Sequence of a video's frames; the dict of a frame is made when it is indexed.

    Args:
        video (AnnotatedVideo): The video.
        folder (str): Image folder, absolute or relative to the working directory.
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
