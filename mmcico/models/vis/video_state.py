"""What is kept of a video from one clip to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.track_state import TrackState

from .frame_features import KnownFrames


@dataclass(frozen=True)
class VideoState:
    """Everything known about one video, of bounded size if the tracker's is.

    Attributes:
        tracker (TrackState): The tracker's part.
        known (KnownFrames): Features of the frames that come again.
    """

    tracker: TrackState = field(default_factory=TrackState)
    known: KnownFrames = field(default_factory=KnownFrames)


def mean_overlap(before: TrackState, clip: InstanceData, frame_ids: Sequence[int]) -> Tensor:
    """Masks of a clip, averaged with earlier ones of the frames they share.

    Args:
        before (TrackState): The state before the clip.
        clip (InstanceData): N linked instances.
        frame_ids (Sequence[int]): The T frames of the clip.

    Returns:
        Tensor: (N, T, h, w) probabilities. Each instance is averaged with
        the clip in which its track was last seen, as far as they share
        frames; a frame that a clip repeats counts at its first place.
    """
    masks = clip.masks.clone()
    tracks = before.tracks
    if tracks is None:
        return masks
    same = clip.instances_id[:, None] == tracks.instances_id[None]
    for age in tracks.age.unique().tolist():
        known = before.seen_in(age)
        shared = [f for f in dict.fromkeys(frame_ids) if f in known]
        rows, cols = (same & (tracks.age == age)).nonzero(as_tuple=True)
        if not shared or not len(rows):
            continue
        now = [list(frame_ids).index(f) for f in shared]
        last = [known.index(f) for f in shared]
        new = masks[rows]
        new[:, now] = (new[:, now] + tracks.masks[cols][:, last]) / 2
        masks[rows] = new
    return masks
