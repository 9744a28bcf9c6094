"""Pairs of instances and tracks: log-odds, one-to-one assignment, recall of lost tracks."""

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.utils import ConfigType
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmcico.registry import TASK_UTILS
from mmcico.structures.clip_masks import FlatMasks, mean_mask_iou
from mmcico.structures.devices import numbers_like

#: fields that tracks keep of a clip's instances, to be drawn again
FIELDS = ('bboxes', 'circumscribed', 'masks', 'mask_params', 'embeds', 'labels', 'scores')
#: weights of the terms of the log-odds
SHARED = dict(bias=-5.0, mask=9.0, redrawn=0.0, embed=2.0, label=2.5)
APART = dict(bias=-4.0, mask=5.0, redrawn=0.0, embed=5.0, label=0.5)
MISSED = dict(bias=-3.0, mask=3.0, redrawn=0.0, embed=5.0, label=0.5)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Compute the cosines (N, M) of all pairs of unit vectors (N, E) and (M, E), in float32."""
    # matching scores may differ by less than half precision can tell
    with torch.autocast(a.device.type, enabled=False):
        return a.float() @ b.float().T


def check_memory(memory: int, momentum: float) -> None:
    """Check for how long a tracker keeps tracks, and how slowly their embeddings change.

    Raises:
        ValueError: If a value is out of its range.
    """
    if memory < 1:
        raise ValueError(f'memory must be at least 1 clip, got {memory}')
    if not 0 <= momentum < 1:
        raise ValueError(f'momentum must be at least 0 and below 1, got {momentum}')


@TASK_UTILS.register_module()
class GreedyMatching(BaseModule):
    """Takes the pair with the highest score first, then the next free pair."""

    def forward(self, score: Tensor, min_score: float) -> tuple[Tensor, Tensor]:
        """Match rows with columns.

        Args:
            score (Tensor): (N, M).
            min_score (float): Pairs must have a higher score.

        Returns:
            tuple[Tensor, Tensor]: Rows and columns of the pairs, long.
        """
        left = score.detach().cpu().numpy().copy()
        pairs = []
        while left.size and left.max() > min_score:
            row, col = divmod(int(left.argmax()), left.shape[1])
            pairs.append((row, col))
            left[row], left[:, col] = -torch.inf, -torch.inf
        found = numbers_like(score, pairs, torch.long).view(-1, 2)
        return found[:, 0], found[:, 1]


@TASK_UTILS.register_module()
class HungarianMatching(BaseModule):
    """Takes the pairs whose excess over the threshold has the largest sum."""

    def forward(self, score: Tensor, min_score: float) -> tuple[Tensor, Tensor]:
        """Match rows with columns; see :class:`GreedyMatching`."""
        gain = (score - min_score).clamp(min=0).cpu().numpy()
        pairs = np.stack(linear_sum_assignment(gain, maximize=True))
        rows, cols = numbers_like(score, pairs[:, gain[tuple(pairs)] > 0], torch.long)
        return rows, cols


@TASK_UTILS.register_module()
class EmbeddingRecall(BaseModule):
    """Second stage of :class:`ClipTracker`, for instances without a track.

    An instance takes the id of a lost track if the cosine of their embeddings, plus a bonus for the
    same class, is high enough.

    Args:
        min_similarity (float): Pairs must be more similar.
        label_weight (float): Added for the same class.
        matching (dict): :class:`GreedyMatching` or :class:`HungarianMatching`.
    """

    def __init__(
        self,
        min_similarity: float = 0.5,
        label_weight: float = 0.0,
        matching: ConfigType = dict(type='mmcico.GreedyMatching'),
    ) -> None:
        super().__init__()
        self.min_similarity = min_similarity
        self.label_weight = label_weight
        self.matching = TASK_UTILS.build(matching)

    def forward(self, clip: InstanceData, lost: InstanceData) -> tuple[Tensor, Tensor]:
        """Find lost tracks again.

        Args:
            clip (InstanceData): N instances without a track: ``embeds`` (N, E) of unit length,
                ``labels`` (N,).
            lost (InstanceData): M tracks with the same fields.

        Returns:
            tuple[Tensor, Tensor]: Rows and columns of the pairs, long.
        """
        same = clip.labels[:, None] == lost.labels[None]
        score = cosine(clip.embeds, lost.embeds) + self.label_weight * same
        return self.matching(score, self.min_similarity)


def shared_frames(known: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Find the frames (T,) of a clip among those (M, T) in which tracks were last seen, by id.

    Returns the (M, T) position of each frame of the clip among the frames of the track, that of the
    track's last frame if it is not there; and (M, T) bool, whether it is there.
    """
    same = known[:, :, None] == frames
    shared = same.any(dim=1)
    place = torch.where(shared, same.int().argmax(dim=1), known.shape[1] - 1)
    return place, shared


def at_frames(values: Tensor, place: Tensor) -> Tensor:
    """Select frames of tracks (M, T, ...) by their positions (M, T), see :func:`shared_frames`."""
    rows = torch.arange(len(values), device=values.device)
    return values[rows[:, None], place]


@TASK_UTILS.register_module()
class PairEvidence(BaseModule):
    """Compare instances of a clip with tracks.

    The log-odds of a pair are ``bias + mask * MIoU + redrawn * RIoU + embed * cos + label * same``:

    - MIoU, the IoU of the masks, is a mean over the frames that the clip shares with the clip in
      which the track was last seen. If there are none, the first frame is compared with the last
      one of the track.
    - RIoU is the mean IoU with the track's masks as redrawn on the prototypes of the clip.
    - cos is the cosine of the embeddings.
    - same is the probability that both have the same class, by the votes for each.

    Each term has one weight for pairs with shared frames, one for tracks of the previous clip
    without shared frames, and one for tracks that were missed since. The defaults are logistic
    regressions on detections of the demo model (``docs/en/linking.md``).

    Args:
        shared (dict, optional): Weights by name that replace the defaults, with shared frames.
        apart (dict, optional): The same without shared frames.
        missed (dict, optional): The same for tracks that were missed, without shared frames.
        min_pixels (int): Masks are compared if they have more map pixels than this.
    """

    def __init__(
        self,
        shared: dict[str, float] | None = None,
        apart: dict[str, float] | None = None,
        missed: dict[str, float] | None = None,
        min_pixels: int = 2,
    ) -> None:
        super().__init__()
        self.weights = [dict(SHARED), dict(APART), dict(MISSED)]
        for weights, given in zip(self.weights, (shared, apart, missed)):
            unknown = set(given or {}) - set(weights)
            if unknown:
                raise ValueError(
                    f'PairEvidence: {sorted(unknown)} are no weights; known are {list(weights)}'
                )
            weights.update(given or {})
        self.min_pixels = min_pixels
        #: whether tracks have to be redrawn to be compared; without, RIoU is 0
        self.redraws = any(weights['redrawn'] for weights in self.weights)

    def forward(self, found: InstanceData, tracks: InstanceData, frames: Tensor) -> Tensor:
        """Compute the log-odds of all pairs.

        Args:
            found (InstanceData): N instances of a clip: ``masks`` (N, T, h, w), ``embeds`` (N, E),
                ``votes`` (N, K).
            tracks (InstanceData): M tracks with these fields, ``age`` (M,), ``frames`` (M, T) and,
                if ``redraws``, ``redrawn`` (M, T, h, w).
            frames (Tensor): (T,) frame ids of the clip.

        Returns:
            Tensor: (N, M).
        """
        terms, kind = self.terms(found, tracks, frames)
        weights = numbers_like(terms, [[each[name] for name in SHARED] for each in self.weights])
        return (terms * weights[kind].T[:, None]).sum(dim=0)

    def terms(
        self, found: InstanceData, tracks: InstanceData, frames: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute what the log-odds are made of.

        Args: Those of :meth:`forward`.

        Returns:
            tuple[Tensor, Tensor]: (5, N, M) terms in the order of the weights, and the (M,) kind
            of each track: 0 with shared frames, 1 without, 2 missed and without.
        """
        place, compared = shared_frames(tracks.frames, frames)
        none = ~compared.any(dim=1)
        compared[:, 0].logical_or_(none)
        drawn = FlatMasks.of(found.masks > 0.5)
        known = FlatMasks.of(at_frames(tracks.masks, place) > 0.5)
        same = F.normalize(found.votes, p=1, dim=1) @ F.normalize(tracks.votes, p=1, dim=1).T
        terms = [
            torch.ones_like(same),
            mean_mask_iou(drawn, known, self.min_pixels, compared.T[:, None]),
            torch.zeros_like(same),
            cosine(found.embeds, tracks.embeds),
            same,
        ]
        if self.redraws:
            again = FlatMasks.of(tracks.redrawn > 0.5)
            terms[2] = mean_mask_iou(drawn, again, self.min_pixels)
        return torch.stack(terms), none * (1 + (tracks.age > 0))
