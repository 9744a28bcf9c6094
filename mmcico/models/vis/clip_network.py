"""Networks that run on clips, and the features that a video keeps between clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from mmcico.structures.clip_outputs import ClipOutputs
from mmcico.structures.track_state import TrackState

from ..heads import CiCoHead, ClipMaskHead
from ..task_modules import ClipNMS


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
        return FrameFeatures(
            tuple(chosen_frames(x, index) for x in self.levels),
            tuple(chosen_frames(x, index) for x in self.logits),
            chosen_frames(self.fused, index),
        )

    @classmethod
    def join(cls, parts: Sequence['FrameFeatures']) -> 'FrameFeatures':
        """Return the frames of all parts, one after the other."""
        levels, logits, fused = zip(*parts)
        return cls(
            tuple(map(torch.cat, zip(*levels))),
            tuple(map(torch.cat, zip(*logits))),
            torch.cat(fused),
        )


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


@dataclass(frozen=True)
class VideoState:
    """Everything that is kept of one video, of bounded size if the tracker's part is.

    Attributes:
        tracker (TrackState): The tracker's part.
        known (KnownFrames): Features of the frames that the next clip shares.
        views (tuple[KnownFrames]): The same for each view of test-time augmentation.
    """

    tracker: TrackState = field(default_factory=TrackState)
    known: KnownFrames = field(default_factory=KnownFrames)
    views: tuple[KnownFrames, ...] = ()


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


def check_clips(inputs: Tensor, num_frames: int) -> None:
    """Check that inputs are (B, T, 3, H, W).

    Raises:
        ValueError: If they have another number of axes or frames.
    """
    if inputs.dim() != 5 or inputs.shape[1] != num_frames:
        raise ValueError(
            f'expected inputs (B, T={num_frames}, C, H, W) but got {tuple(inputs.shape)}; set '
            'num_frames of the bbox_head and num_frames of the data set to the same number'
        )


class ClipModel(Protocol):
    """Interface of the models that a network can run, such as :class:`CiCo`."""

    bbox_head: CiCoHead
    mask_head: ClipMaskHead
    nms: ClipNMS
    tracker: nn.Module

    def per_frame(self, frames: Tensor) -> FrameFeatures:
        """Compute all features of single frames (F, 3, H, W)."""
        ...


class NetworkResult(NamedTuple):
    """Output of the network for one clip.

    Attributes:
        outputs (ClipOutputs): Predictions for the clip, without batch axis.
        protos (Tensor): (k, T, h, w) prototypes.
        known (KnownFrames): What the next clip can start from.
    """

    outputs: ClipOutputs
    protos: Tensor
    known: KnownFrames


class ClipNetwork:
    """Runs the network of a model on the next clip of a video.

    ``CiCo.network`` is one. Selecting, drawing and linking instances is the same for all of them.
    A network keeps nothing of a video.
    """

    def __call__(
        self,
        model: ClipModel,
        known: KnownFrames,
        inputs: Tensor,
        frame_ids: Sequence[int],
        num_final: int,
    ) -> NetworkResult:
        """Run the network.

        Args:
            model (CiCo): Its weights and settings.
            known (KnownFrames): What is known of the video.
            inputs (Tensor): (T, 3, H, W) normalised frames.
            frame_ids (Sequence[int]): Their positions in the video.
            num_final (int): The next clip begins with the frame after these.

        Returns:
            NetworkResult: Of this clip.
        """
        raise NotImplementedError


class LazyNetwork(ClipNetwork):
    """Runs the model's own layers, only near candidates.

    Frames that a clip shares with the one before are not computed again, unless the clip was
    moved back further than features were kept.
    """

    def __call__(
        self,
        model: ClipModel,
        known: KnownFrames,
        inputs: Tensor,
        frame_ids: Sequence[int],
        num_final: int,
    ) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`."""
        features = clip_features(model.per_frame, known, inputs, frame_ids)
        outputs, protos = lazy_outputs(model, features, tuple(inputs.shape[-2:]))
        known = KnownFrames(
            tuple(frame_ids[num_final:]),
            features.take(range(num_final, len(frame_ids))),
            tuple(inputs.shape[-2:]),
        )
        return NetworkResult(outputs.of_clip(0), protos[0], known)


def lazy_outputs(
    model: ClipModel, features: FrameFeatures, input_shape: Sequence[int]
) -> tuple[ClipOutputs, Tensor]:
    """Compute class scores first and all other outputs only where they are needed.

    On devices other than CPUs everything is computed, because finding out where would wait for the
    device. Returns predictions (B = 1), equal to the whole network's where the class score passes,
    and prototypes (1, k, T, h, w), equal where masks are drawn.
    """
    bbox_head, mask_head = model.bbox_head, model.mask_head
    logits = bbox_head.class_logits(features.levels, features.logits)
    if features.fused.device.type != 'cpu':
        outputs = bbox_head.forward_clips(features.levels, logits)
        return outputs, mask_head.forward_clips(features.fused, bbox_head.num_frames)
    scores = bbox_head.class_scores(logits)
    windows = bbox_head.windows(scores.amax(dim=-1) > model.nms.score_thr, features.levels)
    outputs = bbox_head.forward_clips(features.levels, logits, windows)
    cells = None
    if not getattr(model.tracker, 'redraws', True):
        clip = outputs.of_clip(0)
        query, prior = model.nms.select(scores[0], bbox_head.num_frames)
        found = bbox_head.select(clip, scores[0], query, prior)
        found = model.nms.box_nms(found, input_shape)
        cells = mask_head.windows(found.circumscribed, features.fused, input_shape)
    return outputs, mask_head.forward_clips(features.fused, bbox_head.num_frames, cells)
