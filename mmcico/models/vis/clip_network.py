"""Networks that run on clips, and the state that a video has between clips."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmcico.structures.clip_outputs import ClipOutputs
from mmcico.structures.track_state import Draw, TrackState

from ..heads import CiCoHead, ClipMaskHead
from ..task_modules import ClipNMS
from .frame_features import FrameFeatures, KnownFrames, clip_features


class ClipInput(NamedTuple):
    """A clip as input of a network.

    Attributes:
        inputs (Tensor): (T, 3, H, W) normalised frames.
        frame_ids (Sequence[int]): Their positions in the video.
        num_final (int): The next clip begins with the frame after these.
    """

    inputs: Tensor
    frame_ids: Sequence[int]
    num_final: int


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


#: state of a video after a clip but for the tracker's part, the clip's instances, and a function
#: that draws earlier instances on this clip's prototypes
Detection = tuple[VideoState, InstanceData, Draw]


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

    def __call__(self, model: ClipModel, known: KnownFrames, clip: ClipInput) -> NetworkResult:
        """Run the network.

        Args:
            model (CiCo): Its weights and settings.
            known (KnownFrames): What is known of the video.
            clip (ClipInput): The clip.

        Returns:
            NetworkResult: Of this clip.
        """
        raise NotImplementedError

    def run(
        self, model: ClipModel, known: KnownFrames, clips: Sequence[ClipInput]
    ) -> Iterator[NetworkResult]:
        """Yield the results of consecutive clips of a video, one after the other."""
        for clip in clips:
            result = self(model, known, clip)
            known = result.known
            yield result


class LazyNetwork(ClipNetwork):
    """Runs the model's own layers, only near candidates.

    Frames that a clip shares with the ones before are not computed again, unless the clip was
    moved back further than features were kept. Devices other than CPUs compute several clips as
    one batch, until their memory does not suffice for it. Subclasses override :meth:`together`.
    """

    #: whether a batch was too large for the device
    one_by_one = False

    def __call__(self, model: ClipModel, known: KnownFrames, clip: ClipInput) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`."""
        (result,) = self.together(model, known, [clip])
        return result

    def run(
        self, model: ClipModel, known: KnownFrames, clips: Sequence[ClipInput]
    ) -> Iterator[NetworkResult]:
        """Yield the results of consecutive clips of a video."""
        results: Iterable[NetworkResult] | None = None
        on_cpu = clips[0].inputs.device.type == 'cpu'
        if len(clips) > 1 and not on_cpu and not self.one_by_one:
            try:
                results = self.together(model, known, clips)
            except torch.cuda.OutOfMemoryError:
                self.one_by_one = True
                print_log(
                    f'the device has too little memory for {len(clips)} clips at once; from now on '
                    'it gets one at a time (batch_size=1 does so from the start)',
                    logger='current',
                    level=logging.WARNING,
                )
        yield from super().run(model, known, clips) if results is None else results

    def together(
        self, model: ClipModel, known: KnownFrames, clips: Sequence[ClipInput]
    ) -> list[NetworkResult]:
        """Return the results of consecutive clips of a video, computed as one batch.

        What is known after the last clip is part of all results.
        """
        inputs = torch.cat([clip.inputs for clip in clips])
        frame_ids = [frame for clip in clips for frame in clip.frame_ids]
        size = tuple(inputs.shape[-2:])
        features = clip_features(model.per_frame, known, inputs, frame_ids)
        outputs, protos = lazy_outputs(model, features, size)
        last = len(frame_ids) - len(clips[-1].frame_ids) + clips[-1].num_final
        rest = range(last, len(frame_ids))
        after = KnownFrames(tuple(frame_ids[last:]), features.take(rest), size)
        return [
            NetworkResult(outputs.of_clip(number), protos[number], after)
            for number in range(len(clips))
        ]


def lazy_outputs(
    model: ClipModel, features: FrameFeatures, input_shape: Sequence[int]
) -> tuple[ClipOutputs, Tensor]:
    """Compute class scores first and all other outputs only where they are needed.

    On devices other than CPUs everything is computed, because finding out where would wait for the
    device, and so it is for several clips. Returns predictions for B clips, equal to the whole
    network's where the class score passes, and prototypes (B, k, T, h, w), equal where masks are
    drawn.
    """
    bbox_head, mask_head = model.bbox_head, model.mask_head
    logits = bbox_head.class_logits(features.levels, features.logits)
    if features.fused.device.type != 'cpu' or len(logits) > 1:
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
