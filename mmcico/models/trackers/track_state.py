"""What is remembered of a video between two clips."""
from dataclasses import dataclass
from typing import Callable, Optional, Tuple

from mmengine.structures import InstanceData
from torch import Tensor

#: draws masks (N, T, h, w) on the prototypes of a clip from mask parameters
#: (N, k'), within boxes (N, 4) in input pixels
Draw = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class TrackState:
    """All that the tracker knows about one video, of bounded size.

    Attributes:
        next_id (int): Id of the next new track.
        frame_ids (tuple[int]): Frames of the last clip that showed objects.
        tracks (InstanceData, optional): M tracks, none before the first
            clip: ``instances_id`` (M,), ``bboxes`` (M, T, 4), ``masks``
            (M, T, h, w) probabilities, ``embeds`` (M, E), ``labels`` (M,)
            and ``age`` (M,), clips since the track was last seen.
    """
    next_id: int = 0
    frame_ids: Tuple[int, ...] = ()
    tracks: Optional[InstanceData] = None
