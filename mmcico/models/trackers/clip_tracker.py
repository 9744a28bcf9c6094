"""Clip-level online tracking (eq. 11)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.clip_boxes import pairwise_clip_iou
from mmcico.structures.clip_masks import FlatMasks, mean_mask_iou
from mmcico.structures.devices import chosen_rows, listed_rows, numbers_like
from mmcico.structures.track_state import Draw, TrackState

from ..interfaces import accept_old_names
from .matching import check_memory, cosine

#: what a track keeps of the instance that it was last seen as
TRACK_FIELDS = ('instances_id', 'bboxes', 'masks', 'embeds', 'labels')

#: decides between two classes of one instance, which are equal in everything else
TIE = 1e-4


def shared_frames(last: Sequence[int], now: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Return the positions in two clips, given by their frame ids, of the frames to compare.

    These are the frames in both clips, or, without any, the last of the earlier clip and the first
    of the later one.
    """
    both = sorted(set(last) & set(now))
    if not both:
        return [-1], [0]
    return [list(last).index(f) for f in both], [list(now).index(f) for f in both]


@MODELS.register_module()
class ClipTracker(BaseModule):
    """Links the instances of a clip with the tracks before it (eq. 11).

    The matching score is ``a1 * d + a2 * MIoU + a3 * BIoU`` with ``d = (cos + 1) / 2``; mask and
    box IoU are means over the frames that the clips share, or compare the last frame with the
    first one. Each track is compared on the frames of the clip in which it was last seen. The
    place of a track that was lost long ago says little; therefore ``recall`` matches remaining
    instances and lost tracks by their embeddings alone. The tracker holds settings only; the state
    of a video is a :class:`TrackState`, so that videos can be interleaved.

    Args:
        embed_weight (float): a1.
        mask_weight (float): a2.
        box_weight (float): a3.
        score_weight (float): Weight of the detection score. 0 in the paper.
        label_weight (float): Added for the same class. 0 in the paper.
        match_thr (float): An instance takes the id of a track if their score is higher.
        matching (dict): :class:`GreedyMatching` or :class:`HungarianMatching`.
        memory (int): Clips for which a track that is not seen is kept; 1 is the paper's "previous
            clip".
        min_pixels (int): A mask is compared if it has more map pixels than this.
        momentum (float): Share of a track's old embedding in the new one, a running mean of unit
            length. 0, the last clip alone, in the paper.
        recall (dict, optional): :class:`EmbeddingRecall`, for remaining instances and lost tracks.
            None in the paper.
        drop_runner_ups (bool): Drop instances whose score with a track is high enough, but lower
            than that of the instance which got it; mostly these are objects found twice. In the
            paper they start new tracks.
    """

    #: whether ``step`` draws tracks on the prototypes of a clip, which then are computed everywhere
    redraws = False

    @accept_old_names(drop_seconds='drop_runner_ups')
    def __init__(
        self,
        embed_weight: float = 1.0,
        mask_weight: float = 1.0,
        box_weight: float = 1.0,
        score_weight: float = 0.0,
        label_weight: float = 0.0,
        match_thr: float = 1.0,
        matching: ConfigType = dict(type='mmcico.GreedyMatching'),
        memory: int = 1,
        min_pixels: int = 2,
        momentum: float = 0.0,
        recall: OptConfigType = None,
        drop_runner_ups: bool = False,
    ) -> None:
        super().__init__()
        check_memory(memory, momentum)
        if recall is not None and memory == 1:
            raise ValueError(
                'recall finds tracks that were lost, but memory=1 keeps none; set memory to the '
                'number of clips for which they are kept'
            )
        self.embed_weight = embed_weight
        self.mask_weight = mask_weight
        self.box_weight = box_weight
        self.score_weight = score_weight
        self.label_weight = label_weight
        self.match_thr = match_thr
        self.matching = TASK_UTILS.build(matching)
        self.memory = memory
        self.min_pixels = min_pixels
        self.momentum = momentum
        self.recall = None if recall is None else TASK_UTILS.build(recall)
        self.drop_runner_ups = drop_runner_ups

    def step(
        self,
        state: TrackState,
        clip: InstanceData,
        frame_ids: Sequence[int],
        draw: Draw | None = None,
    ) -> tuple[TrackState, InstanceData]:
        """Give the instances of the next clip their ids.

        Args:
            state (TrackState): State before the clip; ``TrackState()`` at first.
            clip (InstanceData): N instances: ``bboxes`` (N, T, 4), ``masks`` (N, T, h, w)
                probabilities, ``embeds`` (N, E) of unit length, ``scores`` (N,), ``labels`` (N,).
            frame_ids (Sequence[int]): The T frames of the clip.
            draw (Callable, optional): Not used; the paper compares masks as they were drawn.

        Returns:
            tuple[TrackState, InstanceData]: The new state, and the instances that were not
            dropped, with ``instances_id``.
        """
        clip = clip[:]
        track = torch.full_like(clip.labels, -1)
        ids = track.clone()
        if state.tracks is not None and len(clip) and len(state.tracks):
            track, runner_up = self._assign(state, clip, frame_ids)
            if self.drop_runner_ups:
                kept = (~runner_up).nonzero()[:, 0]
                clip, track = clip[kept], track[kept]
            ids = state.tracks.instances_id[track].where(track >= 0, track)
        new = (ids < 0).nonzero()[:, 0]
        count = len(new)
        ids[new] = state.next_id + torch.arange(count, device=ids.device)
        clip.instances_id = ids
        return TrackState(
            state.next_id + count,
            tuple(frame_ids) if len(clip) else state.frame_ids,
            self._remember(state, clip, track),
            (tuple(frame_ids), *state.clips)[: self.memory],
        ), clip

    def _assign(
        self, state: TrackState, clip: InstanceData, frame_ids: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Assign N > 0 instances to M > 0 tracks.

        Returns (N,) tracks, -1 for none, and (N,) bool, whether the instance is the runner-up of a
        track.
        """
        track = torch.full_like(clip.labels, -1)
        score = self.match_score(state, clip, frame_ids)
        rows, cols = self.matching(score, self.match_thr)
        track[rows] = cols
        if self.recall is not None:
            rows = (track < 0).nonzero()[:, 0]
            lost = state.tracks.age > 0
            lost[cols] = False
            lost = lost.nonzero()[:, 0]
            if len(rows) and len(lost):
                found, known = self.recall(clip[rows], state.tracks[lost])
                track[rows[found]] = lost[known]
        return track, (score.amax(dim=1) > self.match_thr) & (track < 0)

    def match_score(
        self, state: TrackState, clip: InstanceData, frame_ids: Sequence[int]
    ) -> Tensor:
        """Return the matching scores (N, M) of N instances of a clip and M tracks."""
        tracks = state.tracks
        similar = (cosine(clip.embeds, tracks.embeds) + 1) / 2
        same = clip.labels[:, None] == tracks.labels[None]
        overlap = torch.zeros_like(similar)
        ages = tracks.age.tolist()
        for age in set(ages):
            cols = [col for col, each in enumerate(ages) if each == age]
            overlap[:, numbers_like(overlap, cols, torch.long)] = self._overlap(
                clip, listed_rows(tracks, cols), *shared_frames(state.seen_in(age), frame_ids)
            )
        return (
            self.embed_weight * similar
            + overlap
            + (self.label_weight + TIE) * same
            + self.score_weight * clip.scores[:, None]
        )

    def _overlap(
        self, clip: InstanceData, tracks: InstanceData, last: Sequence[int], now: Sequence[int]
    ) -> Tensor:
        """Return (N, M) weighted mask and box IoU on chosen frames of both."""
        then, these = (numbers_like(clip.bboxes, frames, torch.long) for frames in (last, now))
        boxes = pairwise_clip_iou(clip.bboxes[:, these], tracks.bboxes[:, then])
        drawn, known = clip.masks[:, these] > 0.5, tracks.masks[:, then] > 0.5
        masks = mean_mask_iou(FlatMasks.of(drawn), FlatMasks.of(known), self.min_pixels)
        return self.mask_weight * masks + self.box_weight * boxes

    def _remember(self, state: TrackState, clip: InstanceData, track: Tensor) -> InstanceData:
        """Return the tracks after a clip: its own, and those lost recently."""
        now = InstanceData(**{key: clip[key] for key in TRACK_FIELDS})
        now.age = torch.zeros_like(now.instances_id)
        old = state.tracks
        if old is None:
            return now
        rows = (track >= 0).nonzero()[:, 0]
        if self.momentum and len(rows):
            mean = torch.lerp(now.embeds[rows], old.embeds[track[rows]], self.momentum)
            now.embeds = now.embeds.index_copy(0, rows, F.normalize(mean))
        if self.memory == 1:
            return now
        gone = ~torch.isin(old.instances_id, now.instances_id)
        lost = chosen_rows(old, gone & (old.age + 1 < self.memory))
        if len(lost) == 0:
            return now
        lost.age = lost.age + 1
        return InstanceData.cat([now, lost])
