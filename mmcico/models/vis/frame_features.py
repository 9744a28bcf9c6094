"""What is known of single frames, shared by the clips that show them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class FrameFeatures(NamedTuple):
    """Results of all steps that look at one frame at a time.

    Attributes:
        levels (tuple[Tensor]): (F, C, h, w), fine to coarse.
        scores (tuple[Tensor]): (F, A * K, h, w) class logits; none where
            the class tower looks at clips.
        fused (Tensor): (F, C', h3, w3) of the mask head.
    """

    levels: tuple[Tensor, ...]
    scores: tuple[Tensor, ...]
    fused: Tensor

    def take(self, index: Sequence[int]) -> 'FrameFeatures':
        """Chosen frames, in the order given; copies, not views."""
        index = torch.as_tensor(list(index), dtype=torch.long, device=self.fused.device)
        return FrameFeatures(
            tuple(x[index] for x in self.levels),
            tuple(x[index] for x in self.scores),
            self.fused[index],
        )

    @classmethod
    def join(cls, parts: Sequence['FrameFeatures']) -> 'FrameFeatures':
        """Frames of all parts, one after the other."""
        levels, scores, fused = zip(*parts)
        return cls(
            tuple(map(torch.cat, zip(*levels))),
            tuple(map(torch.cat, zip(*scores))),
            torch.cat(fused),
        )


class KnownFrames(NamedTuple):
    """Features of the last frames of a video.

    Attributes:
        frame_ids (tuple[int]): F positions in the video.
        features (FrameFeatures, optional): Of these frames.
        input_shape (tuple[int]): Height and width of their input, empty
            before the first frame.
    """

    frame_ids: tuple[int, ...] = ()
    features: FrameFeatures | None = None
    input_shape: tuple[int, ...] = ()


def plan_frames(frame_ids: Sequence[int], known: Sequence[int]) -> tuple[list[int], list[int]]:
    """Compute no frame twice.

    Args:
        frame_ids (Sequence[int]): The T frames of a clip; some may occur
            twice.
        known (Sequence[int]): Frames that are computed already.

    Returns:
        tuple[list[int], list[int]]: Positions in the clip of the frames to
        be computed; and for each of the T frames its row among the known
        ones, followed by those.
    """
    where = {frame: row for row, frame in enumerate(known)}
    fresh = []
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
    """Features of a clip, of which some frames may be known.

    Args:
        per_frame (Callable): Features of frames (F, 3, H, W).
        known (KnownFrames): What is known of the video.
        inputs (Tensor): (T, 3, H, W) normalised frames.
        frame_ids (Sequence[int]): Their positions in the video.

    Returns:
        FrameFeatures: Of the T frames.

    Raises:
        ValueError: If the frames have another size than those before.
    """
    check_size(known, inputs, frame_ids)
    fresh, rows = plan_frames(frame_ids, known.frame_ids)
    parts = [known.features] if known.frame_ids else []
    if fresh:
        parts.append(per_frame(inputs[fresh]))
    return FrameFeatures.join(parts).take(rows)


def check_size(known: KnownFrames, inputs: Tensor, frame_ids: Sequence[int]) -> None:
    """Refuse frames of another size than those before.

    Args:
        known (KnownFrames): What is known of the video.
        inputs (Tensor): (T, 3, H, W) normalised frames.
        frame_ids (Sequence[int]): Their positions in the video.

    Raises:
        ValueError: If the size changes.
    """
    size = tuple(inputs.shape[-2:])
    if known.input_shape and known.input_shape != size:
        raise ValueError(
            f'the video changes its size: frames {tuple(frame_ids)} are '
            f'{size} (height, width) as input, those before were '
            f'{known.input_shape}; treat what follows as another video'
        )


def check_clips(inputs: Tensor, num_frames: int) -> None:
    """Refuse inputs that are not (B, T, 3, H, W).

    Raises:
        ValueError: If they have another number of axes or frames.
    """
    if inputs.dim() != 5 or inputs.shape[1] != num_frames:
        raise ValueError(
            f'expected inputs (B, T={num_frames}, C, H, W) but got '
            f'{tuple(inputs.shape)}; set num_frames of the bbox_head and '
            'num_frames of the data set to the same number'
        )
