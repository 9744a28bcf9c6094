"""Tracking loss over pairs of embeddings (eq. 9)."""

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmcico.registry import MODELS

from .over_processes import gather_rows, of_own_rows


def pair_loss(embeds: Tensor, ids: Tensor, eps: float = 1e-6) -> Tensor:
    """Mean over all pairs of eq. 9.

    Args:
        embeds (Tensor): (N, E) of unit length.
        ids (Tensor): (N,) identities.
        eps (float): Keeps logarithms finite.

    Returns:
        Tensor: Scalar, ``-log d`` for pairs of one identity and
        ``-log(1 - d)`` for others, with ``d = (cos + 1) / 2``.
    """
    similar = ((embeds @ embeds.T + 1) / 2).clamp(eps, 1 - eps)
    same = ids[:, None] == ids[None]
    return -torch.where(same, similar, 1 - similar).log().mean()


@MODELS.register_module()
class PairTrackLoss(BaseModule):
    """Pulls embeddings of an object together and pushes others apart.

    All pairs of positives of a video count, from all of its clips in the
    batch and in all processes; the mean is over pairs and then over videos.

    Args:
        loss_weight (float): Weight of the loss.
    """

    def __init__(self, loss_weight: float = 5.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, embeds: Tensor, ids: Tensor, videos: Tensor) -> Tensor:
        """Compare embeddings.

        Args:
            embeds (Tensor): (N, E) of unit length.
            ids (Tensor): (N,) identities, unique within a video.
            videos (Tensor): (N,) videos.

        Returns:
            Tensor: Scalar; 0 with a graph without positives.
        """
        nothing = embeds.sum() * 0
        embeds, ids, videos = gather_rows(embeds), gather_rows(ids), gather_rows(videos)
        groups = [videos == video for video in videos.unique()]
        if not groups:
            return nothing
        # near 0 and 1 half precision cannot tell d from its limits
        with torch.autocast(embeds.device.type, enabled=False):
            losses = [pair_loss(embeds[mine].float(), ids[mine]) for mine in groups]
        return nothing + self.loss_weight * of_own_rows(torch.stack(losses).mean())
