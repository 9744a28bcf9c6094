"""Linking by log-odds, with votes, scores of whole tracks and filled gaps."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmdet.utils import ConfigType
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.clip_boxes import scale_boxes
from mmcico.structures.clip_masks import mask_stability
from mmcico.structures.devices import chosen_rows, numbers_like
from mmcico.structures.track_state import Draw, TrackState

from .matching import FIELDS, at_frames, check_memory, shared_frames


def clips_of_a_frame(frame_ids: Sequence[int], earlier: Sequence[Sequence[int]]) -> float:
    """Return the number of clips that contain a frame: T over the new frames of a clip.

    Of the last three clips, the two that share fewer frames count, because the last clip of a video
    may be moved back.

    Args:
        frame_ids (Sequence[int]): Frames of a clip.
        earlier (Sequence[Sequence[int]]): Those of the clips before, the last one first.
    """
    clips = [frame_ids, *earlier[:2]]
    shared = min((len({*a} & {*b}) for a, b in pairwise(clips)), default=0)
    return len(frame_ids) / max(len(frame_ids) - shared, 1)


@MODELS.register_module()
class EvidenceTracker(BaseModule):
    """Link the instances of clips by the evidence of all clips so far.

    - Instances of one clip that show the same object are one instance; their classes are votes.
    - Instances and tracks are paired by the log-odds of being the same object
      (:class:`PairEvidence`), the best pair first, and only above even odds.
    - The score of an instance is the geometric mean of its class score and the stability of its
      masks (:func:`mask_stability`), because masks with sharp edges are good ones.
    - The score of a track is the sum of its clips' scores over the number of all clips since it
      began, the missed ones included, and ``prior`` more. A track that was found in one of many
      clips is therefore worth little.
    - A new track of a low score is ``tentative`` until it has been found ``confirm`` times. Streams
      do not show it before; results of whole videos then have all of its frames.
    - Clips that share frames tell the same more than once. ``prior`` and ``confirm`` are therefore
      multiplied by the number of clips that contain a frame (:func:`clips_of_a_frame`).
    - A track that is missed is redrawn on the prototypes of the clip. If these masks lie where the
      last ones were and not on other instances, the track is shown for up to ``fill`` clips, with
      its earlier masks on frames that it was seen in.
    - Masks of frames that several clips share are averaged.

    A state is a value, so that videos can be interleaved. It holds the tracks of the last
    ``memory`` clips.

    Args:
        evidence (dict): :class:`PairEvidence`.
        matching (dict): :class:`GreedyMatching` or :class:`HungarianMatching`.
        memory (int): Number of clips for which a track that is not found is kept.
        momentum (float): Share of a track's old embedding in the new one.
        duplicate_iou (float): Instances of a clip whose masks overlap by more are one object.
        part_share (float): An instance that lies on a better one by a larger share is dropped, too.
        margin (float): Distance from 0.5 of the thresholds that stability compares.
        prior (float): Number of clips with score 0 that each track starts with, if clips share no
            frames.
        birth_score (float): A new track of at least this score is confirmed at once.
        confirm (int): Number of clips that must find any other track before it is confirmed, if
            clips share no frames.
        fill (int): Number of clips for which a missed track is shown.
        fill_iou (float): Lowest IoU of redrawn masks with the last ones.
        fill_covered (float): Largest share of these masks that may lie on other instances.
        redraw_scale (float): Redrawn masks are cut by the circumscribed box, scaled by this.
    """

    def __init__(
        self,
        evidence: ConfigType = dict(type='mmcico.PairEvidence'),
        matching: ConfigType = dict(type='mmcico.GreedyMatching'),
        memory: int = 20,
        momentum: float = 0.5,
        duplicate_iou: float = 0.5,
        part_share: float = 0.85,
        margin: float = 0.3,
        prior: float = 1.0,
        birth_score: float = 0.4,
        confirm: int = 2,
        fill: int = 1,
        fill_iou: float = 0.3,
        fill_covered: float = 0.5,
        redraw_scale: float = 1.2,
    ) -> None:
        super().__init__()
        check_memory(memory, momentum)
        self.evidence = TASK_UTILS.build(evidence)
        self.matching = TASK_UTILS.build(matching)
        self.memory = memory
        self.momentum = momentum
        self.duplicate_iou = duplicate_iou
        self.part_share = part_share
        self.margin = margin
        self.prior = prior
        self.birth_score = birth_score
        self.confirm = confirm
        self.fill = fill
        self.fill_iou = fill_iou
        self.fill_covered = fill_covered
        self.redraw_scale = redraw_scale

    def step(
        self, state: TrackState, clip: InstanceData, frame_ids: Sequence[int], draw: Draw
    ) -> tuple[TrackState, InstanceData]:
        """Link the next clip.

        Args:
            state (TrackState): What is known; ``TrackState()`` at first.
            clip (InstanceData): N instances as from ``CiCo.detect``.
            frame_ids (Sequence[int]): The T frames of the clip.
            draw (Callable): Draws tracks on the prototypes of this clip.

        Returns:
            tuple[TrackState, InstanceData]: The new state, and the instances of the clip with
            ``instances_id`` and ``tentative`` (N,) bool. Rows of missed tracks follow, without a
            mask where they are not shown; their scores are the clip's votes on them.
        """
        frames = numbers_like(clip.scores, tuple(frame_ids), torch.long)
        found = self._begin(clip, frames)
        tracks = found[:0] if state.tracks is None else state.tracks
        rows = cols = found.labels[:0]
        if len(tracks):
            rows, cols = self._pairs(found, tracks, frames, draw)
            self._carry_on(found, tracks, rows, cols, frames)
        found.total = found.total + self._clip_scores(found.scores, found.mean_masks)
        number = len(found) - len(rows)
        if number:
            new = found.instances_id < 0
            ids = new.cumsum(0) + (state.next_id - 1)
            found.instances_id = ids.where(new, found.instances_id)
        masks, bboxes, known = found.mean_masks, found.bboxes, found
        if len(tracks) > len(cols):
            missed = self._missed(tracks, cols)
            known = InstanceData.cat([found, missed])
            drawn, boxes = self._filled(missed, found, frames, draw)
            masks, bboxes = torch.cat([masks, drawn]), torch.cat([bboxes, boxes])
        output = self._output(known, clips_of_a_frame(frame_ids, state.clips))
        output.masks, output.bboxes = masks, bboxes
        state = TrackState(
            state.next_id + number,
            tuple(frame_ids),
            known if known is found else chosen_rows(known, known.age < self.memory),
            (tuple(frame_ids), *state.clips)[: self.memory],
        )
        return state, output

    def _begin(self, clip: InstanceData, frames: Tensor) -> InstanceData:
        """Return the distinct instances of a clip as tracks of one clip, without ids."""
        order = clip.scores.argsort(descending=True, stable=True)
        repeated = self._duplicates((clip.masks > 0.5)[order])
        order = order[(~repeated).nonzero()[:, 0]]
        found = InstanceData(**{key: clip[key][order] for key in FIELDS})
        found.embeds = found.embeds.float()
        found.votes = clip.class_scores[order].float()
        found.total = torch.zeros_like(found.votes[:, 0])
        found.hits = torch.ones_like(found.labels)
        found.misses = found.age = torch.zeros_like(found.labels)
        found.instances_id = found.misses - 1
        found.frames = frames.expand(len(found), -1)
        found.mean_masks = found.masks
        found.num_masks = torch.ones_like(found.bboxes[..., 0])
        return found

    def _pairs(
        self, found: InstanceData, tracks: InstanceData, frames: Tensor, draw: Draw
    ) -> tuple[Tensor, Tensor]:
        """Return the rows and columns of the pairs of instances and tracks."""
        if self.evidence.redraws:
            tracks = tracks[:]
            tracks.redrawn = self._redrawn(tracks, draw)
        return self.matching(self.evidence(found, tracks, frames), 0.0)

    def _redrawn(self, tracks: InstanceData, draw: Draw) -> Tensor:
        """Return the masks of tracks on the prototypes of the clip."""
        return draw(tracks.mask_params, scale_boxes(tracks.circumscribed, self.redraw_scale))

    def _missed(self, tracks: InstanceData, cols: Tensor) -> InstanceData:
        """Return the tracks but those of ``cols``, after one more clip without them."""
        # the number is known, so that nothing has to wait for the device
        claimed = torch.zeros_like(tracks.age).index_fill(0, cols, 1)
        missed = tracks[claimed.argsort(stable=True)[: len(tracks) - len(cols)]]
        missed.age = missed.age + 1
        missed.misses = missed.misses + 1
        return missed

    def _duplicates(self, masks: Tensor) -> Tensor:
        """Return (N,) bool, instances that show what a better one shows, or a part of it."""
        flat = masks.flatten(1).float()
        # pixel counts do not fit into half precision
        with torch.autocast(masks.device.type, enabled=False):
            common = flat @ flat.T
        area = common.diagonal()
        iou = common / (area[:, None] + area - common).clamp(min=1)
        part = common / area.clamp(min=1)
        repeated = (iou > self.duplicate_iou) | (part > self.part_share)
        return repeated.triu(diagonal=1).any(dim=0)

    def _clip_scores(self, scores: Tensor, masks: Tensor) -> Tensor:
        """Return the scores (N,) of the instances of a clip by their classes and masks."""
        return (scores.float() * mask_stability(masks, self.margin)).sqrt()

    def _carry_on(
        self, found: InstanceData, tracks: InstanceData, rows: Tensor, cols: Tensor, frames: Tensor
    ) -> None:
        """Give instances (rows) the history of their tracks (cols)."""
        place, shared = shared_frames(tracks.frames[cols], frames)
        then = cols[:, None], place
        number = tracks.num_masks[then] * shared
        weight = (number / (number + 1))[..., None, None]
        embeds = torch.lerp(found.embeds[rows], tracks.embeds[cols], self.momentum)
        new = dict(
            instances_id=tracks.instances_id[cols],
            embeds=F.normalize(embeds),
            mean_masks=torch.lerp(found.masks[rows], tracks.mean_masks[then], weight),
            num_masks=number + 1,
        )
        for key, values in new.items():
            found[key] = found[key].index_copy(0, rows, values)
        for key in ('total', 'votes', 'hits', 'misses'):
            found[key] = found[key].index_add(0, rows, tracks[key][cols])
        found.labels = found.votes.argmax(dim=1)

    def _filled(
        self, missed: InstanceData, found: InstanceData, frames: Tensor, draw: Draw
    ) -> tuple[Tensor, Tensor]:
        """Return masks, empty if they are not shown, and boxes of missed tracks."""
        place, shared = shared_frames(missed.frames, frames)
        known = at_frames(missed.mean_masks, place)
        redrawn = self._redrawn(missed, draw)
        masks = torch.where(shared[..., None, None], known, redrawn)
        drawn, again, last = masks > 0.5, redrawn > 0.5, known > 0.5
        # without shared frames, the first frame is compared with the last one of the track
        compared = shared.float()
        compared[:, 0] += ~shared.any(dim=1)
        union = (again | last).flatten(2).sum(-1).clamp(min=1)
        iou = (again & last).flatten(2).sum(-1) / union
        iou = (iou * compared).sum(1) / compared.sum(1)
        taken = (found.masks > 0.5).any(dim=0)
        covered = (drawn & taken).flatten(1).sum(1) / drawn.flatten(1).sum(1).clamp(min=1)
        show = (iou > self.fill_iou) & (covered < self.fill_covered) & (missed.age <= self.fill)
        return masks * show[:, None, None, None], at_frames(missed.bboxes, place)

    def _output(self, tracks: InstanceData, repeats: float) -> InstanceData:
        """Return the tracks, scored by all that is known of them."""
        output = InstanceData(**{key: tracks[key] for key in (*FIELDS, 'instances_id')})
        output.scores = tracks.total / (tracks.hits + tracks.misses + self.prior * repeats)
        weak = tracks.total < self.birth_score * tracks.hits
        output.tentative = weak & (tracks.hits < self.confirm * repeats)
        return output
