"""How the network of a clip is run: the part that can be exchanged."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from mmcico.structures.clip_outputs import ClipOutputs

from ..heads import CiCoHead, ClipMaskHead
from ..task_modules import ClipNMS
from .frame_features import FrameFeatures, KnownFrames, clip_features


class ClipModel(Protocol):
    """What a network needs of a model; :class:`CiCo` is one."""

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

    Args:
        model (CiCo): Its heads, and the threshold of its NMS.
        features (FrameFeatures): Of the T frames of a clip.
        input_shape (Sequence[int]): Height and width of the input.

    Returns:
        tuple[ClipOutputs, Tensor]: Predictions (B = 1), equal to the whole network's where the
        class score passes, and prototypes (1, k, T, h, w), equal where masks are drawn.
    """
    bbox_head, mask_head = model.bbox_head, model.mask_head
    logits = bbox_head.class_logits(features.levels, features.logits)
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
    elif not any(window[1] for window in windows):
        cells = []
    return outputs, mask_head.forward_clips(features.fused, bbox_head.num_frames, cells)
