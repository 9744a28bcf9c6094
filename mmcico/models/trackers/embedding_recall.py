"""Lost tracks, found again by their looks."""

from mmdet.utils import ConfigType
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import TASK_UTILS

from .matching import cosine


@TASK_UTILS.register_module()
class EmbeddingRecall(BaseModule):
    """Second stage of :class:`ClipTracker`, for what the first left over.

    An instance takes the id of a lost track when the cosine of their
    embeddings, plus a bonus for the same class, is high enough.

    Args:
        min_similarity (float): Must be exceeded.
        label_weight (float): Added for the same class.
        matching (dict): :class:`GreedyMatching` or
            :class:`HungarianMatching`.
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
            clip (InstanceData): N instances without a track: ``embeds``
                (N, E) of unit length, ``labels`` (N,).
            lost (InstanceData): M tracks with the same fields.

        Returns:
            tuple[Tensor, Tensor]: Rows and columns of the pairs, long.
        """
        same = clip.labels[:, None] == lost.labels[None]
        score = cosine(clip.embeds, lost.embeds) + self.label_weight * same
        return self.matching(score, self.min_similarity)
