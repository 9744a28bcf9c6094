"""What is kept of a video from one clip to the next."""
from dataclasses import dataclass, field
from typing import Sequence

from mmengine.structures import InstanceData
from torch import Tensor

from ..trackers.track_state import TrackState
from .frame_features import KnownFrames


@dataclass(frozen=True)
class VideoState:
    """Everything known about one video, of bounded size.

    Attributes:
        tracker (TrackState): The tracker's part.
        known (KnownFrames): Features of the frames that come again.
    """
    tracker: TrackState = field(default_factory=TrackState)
    known: KnownFrames = field(default_factory=KnownFrames)


def mean_overlap(before: TrackState, clip: InstanceData,
                 frame_ids: Sequence[int]) -> Tensor:
    """Masks of a clip, averaged with the clip before on shared frames.

    Args:
        before (TrackState): The state before the clip.
        clip (InstanceData): N linked instances.
        frame_ids (Sequence[int]): The T frames of the clip.

    Returns:
        Tensor: (N, T, h, w) probabilities; those of instances that are new,
        or were not in the clip before, are as they were.
    """
    masks = clip.masks.clone()
    tracks = before.tracks
    shared = [f for f in dict.fromkeys(frame_ids) if f in before.frame_ids]
    if tracks is None or not shared:
        return masks
    now = [list(frame_ids).index(f) for f in shared]
    last = [before.frame_ids.index(f) for f in shared]
    same = clip.instances_id[:, None] == tracks.instances_id[None]
    rows, cols = (same & (tracks.age == 0)).nonzero(as_tuple=True)
    old = tracks.masks[cols][:, last]
    new = masks[rows]
    new[:, now] = (new[:, now] + old) / 2
    masks[rows] = new
    return masks
