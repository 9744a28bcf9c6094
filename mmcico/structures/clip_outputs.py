"""What the prediction heads say about clips, as plain tensors."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from mmengine.structures import InstanceData
from torch import Tensor


class ClipOutputs(NamedTuple):
    """Rows of the prediction heads for B clips.

    Each of the Q query frames of a clip (all T of them, or the central one)
    has a row for each of the P anchors of all levels: fine levels first,
    cells row by row, the anchors of a cell next to each other.

    Attributes:
        cls_scores (Tensor): (B, Q, P, K) logits; K + 1 with softmax,
            background last.
        bbox_deltas (Tensor): (B, Q, P, T, 4) against the row's anchor.
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
        """Rows of one clip, the batch axis taken away."""
        return ClipOutputs(
            *(value[index] for value in self[:4]),
            priors=self.priors,
            centerness=None if self.centerness is None else self.centerness[index],
        )


def to_rows(levels: Iterable[Tensor], num_anchors: int, num_queries: int) -> Tensor:
    """Put the maps of all levels into rows.

    Args:
        levels (Iterable[Tensor]): (B * Q, A * V, h, w) each, the V values of
            an anchor next to each other.
        num_anchors (int): A.
        num_queries (int): Q.

    Returns:
        Tensor: (B, Q, P, V).
    """
    rows = [x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1] // num_anchors) for x in levels]
    return torch.cat(rows, dim=1).unflatten(0, (-1, num_queries))


class Positives(NamedTuple):
    """Where the N positive rows of a batch are.

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
        """A subset, by index or mask over the N rows."""
        return Positives(*(value[keep] for value in self))


class ClipGroundTruth(NamedTuple):
    """Objects of one clip, aligned by their id.

    Attributes:
        instances (InstanceData): ``labels`` (G,), ``bboxes`` (G, T, 4) with
            the nearest visible frame's box where hidden, ``visible`` (G, T)
            bool, ``masks`` (G, T, H, W) uint8 at input size, empty where
            hidden, and ``instances_id`` (G,).
        crowds (tuple[Tensor]): T tensors (M_t, 4), regions to be ignored.
        video_id (str): Tells the clip's video from others.
    """

    instances: InstanceData
    crowds: tuple
    video_id: str
