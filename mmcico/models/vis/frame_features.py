"""Features of single frames, and those that a video keeps between clips."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class FrameFeatures(NamedTuple):
    """Results of all steps that need one frame at a time.

    Attributes:
        levels (tuple[Tensor]): (F, C, h, w), fine to coarse.
        logits (tuple[Tensor]): (F, A * K, h, w) class logits; empty if the class tower is 3D.
        fused (Tensor): (F, C', h3, w3) of the mask head.
    """

    levels: tuple[Tensor, ...]
    logits: tuple[Tensor, ...]
    fused: Tensor

    def take(self, index: Sequence[int]) -> 'FrameFeatures':
        """Return copies of chosen frames, in the order given."""
        levels, logits = (tuple(chosen_frames(x, index) for x in each) for each in self[:2])
        return FrameFeatures(levels, logits, chosen_frames(self.fused, index))

    @classmethod
    def join(cls, parts: Sequence['FrameFeatures']) -> 'FrameFeatures':
        """Return the frames of all parts, one after the other."""
        *lists, fused = zip(*parts)
        levels, logits = (tuple(map(torch.cat, zip(*each))) for each in lists)
        return cls(levels, logits, torch.cat(fused))


def chosen_frames(x: Tensor, index: Sequence[int]) -> Tensor:
    """Return copies of chosen frames of (F, ...), without waiting for the device."""
    parts = [x[each : each + 1] for each in index]
    return torch.cat(parts) if parts else x.new_empty(0, *x.shape[1:])


class KnownFrames(NamedTuple):
    """Features of the last frames of a video.

    Attributes:
        frame_ids (tuple[int]): F positions in the video.
        features (FrameFeatures, optional): Of these frames.
        input_shape (tuple[int]): Height and width of their input, empty before the first frame.
    """

    frame_ids: tuple[int, ...] = ()
    features: FrameFeatures | None = None
    input_shape: tuple[int, ...] = ()


def plan_frames(frame_ids: Sequence[int], known: Sequence[int]) -> tuple[list[int], list[int]]:
    """Plan which frames of a clip are computed, so that none is computed twice.

    Returns the positions in the clip, whose frames may repeat, of those that are not known; and for
    each of the T frames its position among the known frames followed by the computed ones.
    """
    where = {frame: row for row, frame in enumerate(known)}
    fresh: list[int] = []
    for position, frame in enumerate(frame_ids):
        if frame not in where:
            where[frame] = len(known) + len(fresh)
            fresh.append(position)
    return fresh, [where[frame] for frame in frame_ids]


def clip_features(
    per_frame: Callable[[Tensor], FrameFeatures],
    known: KnownFrames,
    inputs: Tensor,
    frame_ids: Sequence[int],
) -> FrameFeatures:
    """Return the features of a clip, computing only frames that are not known.

    ``per_frame`` computes those of frames (F, 3, H, W). The inputs are the (T, 3, H, W) normalised
    frames, ``frame_ids`` their positions in the video.

    Raises:
        ValueError: If the frames have another size than those before.
    """
    check_size(known, inputs, frame_ids)
    fresh, rows = plan_frames(frame_ids, known.frame_ids)
    parts = [] if known.features is None else [known.features]
    if fresh:
        parts.append(per_frame(chosen_frames(inputs, fresh)))
    return FrameFeatures.join(parts).take(rows)


def check_size(known: KnownFrames, inputs: Tensor, frame_ids: Sequence[int]) -> None:
    """Check that frames (T, 3, H, W) have the size of those before them.

    Raises:
        ValueError: If the size changes.
    """
    size = tuple(inputs.shape[-2:])
    if known.input_shape and known.input_shape != size:
        raise ValueError(
            f'the video changes its size: frames {tuple(frame_ids)} are {size} (height, width) as '
            f'input, those before were {known.input_shape}; treat what follows as another video'
        )
