"""How the network of a clip is run: the part that can be exchanged."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from mmcico.structures.clip_outputs import ClipOutputs

from .frame_features import KnownFrames, clip_features
from .lazy import lazy_outputs

if TYPE_CHECKING:
    from .cico import CiCo


class NetworkResult(NamedTuple):
    """What the network says about one clip.

    Attributes:
        outputs (ClipOutputs): Rows of the clip, without batch axis.
        protos (Tensor): (k, T, h, w) prototypes.
        known (KnownFrames): What the next clip can start from.
    """

    outputs: ClipOutputs
    protos: Tensor
    known: KnownFrames


class ClipNetwork:
    """Runs the network of a model on the next clip of a video.

    ``CiCo.network`` is one; what selects, draws and links instances is the
    same for all of them. It holds nothing of a video.
    """

    def __call__(
        self,
        model: 'CiCo',
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
    """The model's own layers, only where candidates are.

    Frames that a clip shares with the one before are not computed again. A
    last clip that was moved back may have some which were not kept.
    """

    def __call__(
        self,
        model: 'CiCo',
        known: KnownFrames,
        inputs: Tensor,
        frame_ids: Sequence[int],
        num_final: int,
    ) -> NetworkResult:
        """Run the network; see :class:`ClipNetwork`."""
        features = clip_features(model.per_frame, known, inputs, frame_ids)
        outputs, protos = lazy_outputs(
            model.bbox_head, model.mask_head, features, model.nms.score_thr
        )
        known = KnownFrames(
            tuple(frame_ids[num_final:]),
            features.take(range(num_final, len(frame_ids))),
            tuple(inputs.shape[-2:]),
        )
        return NetworkResult(outputs.of_clip(0), protos[0], known)
