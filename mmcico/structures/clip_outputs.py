"""Predictions for clips and their ground truth, as plain tensors."""

from typing import NamedTuple

from mmengine.structures import InstanceData
from torch import Tensor


class ClipOutputs(NamedTuple):
    """Predictions of the heads for B clips.

    Each of the Q query frames of a clip (all T of them, or the central one) makes a prediction
    for each of the P anchors of all levels: fine levels first, cells row by row, the anchors of a
    cell next to each other.

    Attributes:
        cls_scores (Tensor): (B, Q, P, K) logits; K + 1 with softmax, background last.
        bbox_deltas (Tensor): (B, Q, P, T, 4) against the anchor.
        mask_params (Tensor): (B, Q, P, k') in [-1, 1].
        embeds (Tensor): (B, Q, P, E) of unit length.
        priors (Tensor): (P, 4) anchors, xyxy in pixels of the padded input.
        centerness (Tensor, optional): (B, Q, P) logits.
    """

    cls_scores: Tensor
    bbox_deltas: Tensor
    mask_params: Tensor
    embeds: Tensor
    priors: Tensor
    centerness: Tensor | None = None

    def of_clip(self, index: int) -> 'ClipOutputs':
        """Return the predictions for one clip, without batch axis."""
        own = {k: v[index] for k, v in self._asdict().items() if k != 'priors' and v is not None}
        return self._replace(**own)


class Positives(NamedTuple):
    """Indices of the N positive predictions of a batch.

    Attributes:
        clip (Tensor): (N,) index of the clip in the batch.
        row (Tensor): (N,) index among the query frames.
        prior (Tensor): (N,) index of the anchor.
        gt (Tensor): (N,) index of the object, counted through all clips.
    """

    clip: Tensor
    row: Tensor
    prior: Tensor
    gt: Tensor

    def take(self, keep: Tensor) -> 'Positives':
        """Return a subset, by index or mask over the N predictions."""
        return Positives(*(value[keep] for value in self))


class ClipGroundTruth(NamedTuple):
    """Objects of one clip, aligned by their id.

    Attributes:
        instances (InstanceData): ``labels`` (G,), ``bboxes`` (G, T, 4), in hidden frames the box
            of the nearest visible frame, ``visible`` (G, T) bool, ``masks`` (G, T, H, W) uint8 at
            input size, empty in hidden frames, and ``instances_id`` (G,).
        crowds (tuple[Tensor]): T tensors (M_t, 4), regions to be ignored.
        video_id (str): Identifies the video of the clip.
    """

    instances: InstanceData
    crowds: tuple
    video_id: str
