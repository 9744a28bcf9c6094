"""State that trackers keep of a video between two clips."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

#: draws masks (N, T, h, w) on the prototypes of a clip from mask parameters (N, k'), circumscribed
#: boxes (N, 4) and, by keyword, ``crops`` (N, 4) if others crop the masks, in input pixels
Draw = Callable[..., Tensor]


@dataclass(frozen=True)
class TrackState:
    """State of the tracker for one video.

    Its size is bounded by the tracker's ``memory``; with :class:`PublishedClipTracker` and
    ``memory=None`` it grows with every track.

    Attributes:
        next_id (int): Id of the next new track.
        frame_ids (tuple[int]): Frames of the last clip that showed objects.
        tracks (InstanceData, optional): M tracks, None before the first clip: ``instances_id``
            (M,), ``bboxes`` (M, T, 4), ``masks`` (M, T, h, w) probabilities, ``embeds`` (M, E),
            ``labels`` (M,) and ``age`` (M,), clips since the track was last seen.
        clips (tuple[tuple[int]]): Frames of the clips before, the last one first, as far back as
            tracks are kept. Trackers that compare only with the last clip may leave it empty.
    """

    next_id: int = 0
    frame_ids: tuple[int, ...] = ()
    tracks: Any = None
    clips: tuple[tuple[int, ...], ...] = ()

    def seen_in(self, age: int) -> tuple[int, ...]:
        """Return the T frames of the clip in which tracks of an age were last seen, if known."""
        if age < len(self.clips):
            return self.clips[age]
        return () if age or self.clips else self.frame_ids
