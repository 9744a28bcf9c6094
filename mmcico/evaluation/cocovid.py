"""Ground truth in the layout of CocoVID, turned into that of YouTube-VIS."""

from typing import Any

from mmcico.datasets.cocovid_format import read_cocovid
from mmcico.datasets.video_annotations import AnnotatedTrack, AnnotatedVideo


def to_youtube_vis(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The same objects as lists of masks.

    Args:
        data (dict): Content of a CocoVID file.
        name (str): Of the file, for messages.

    Returns:
        dict: ``videos``, ``categories`` and ``annotations``.

    Raises:
        ValueError: Naming file, video, frame and field.
    """
    file = read_cocovid(data, name)
    return dict(
        videos=[
            dict(
                id=video.id,
                height=video.height,
                width=video.width,
                length=len(video.file_names),
                file_names=video.file_names,
            )
            for video in file.videos
        ],
        categories=[dict(id=id_, name=each) for id_, each in file.categories],
        annotations=[_annotation(video, track) for video in file.videos for track in video.tracks],
    )


def _annotation(video: AnnotatedVideo, track: AnnotatedTrack) -> dict:
    size = [video.height, video.width]
    return dict(
        id=track.id,
        video_id=video.id,
        category_id=track.category_id,
        iscrowd=int(track.iscrowd),
        occlusion=track.occlusion,
        segmentations=[
            counts and dict(size=size, counts=counts.decode('ascii')) for counts in track.counts
        ],
    )
