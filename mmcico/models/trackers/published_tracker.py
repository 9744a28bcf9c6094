"""Linking of clips as the published models do it."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import MODELS
from mmcico.structures.clip_boxes import pairwise_frame_iou, pairwise_iou, scale_boxes
from mmcico.structures.clip_masks import FlatMasks, compare_masks, mean_over
from mmcico.structures.devices import chosen_rows
from mmcico.structures.track_state import Draw, TrackState

from .matching import FIELDS, cosine


def first_claims(best: Tensor, choice: Tensor, num_tracks: int) -> Tensor:
    """Return (N,) bool, whether an instance gets the track that it chose.

    Of the instances that chose one of the ``num_tracks`` tracks, it is the one with the ``best``
    score (N,). Those whose ``choice`` (N,) is ``num_tracks``, a new track, are not among them.
    """
    order = best.argsort(descending=True, stable=True)
    # (M, N) claims, best first; the first of each track wins
    claims = choice[order] == torch.arange(num_tracks, device=choice.device)[:, None]
    wins = (claims & (claims.cumsum(dim=1) == 1)).any(dim=0)
    return torch.zeros_like(wins).index_copy(0, order, wins)


@MODELS.register_module()
class PublishedClipTracker(BaseModule):
    """Links clips with all tracks ever started, as the published models do.

    Tracks that are not seen are drawn again, on each clip's prototypes, from their last mask
    parameters, and shown for a while. An instance takes the track, or "new", with its best score;
    a second instance that chooses the same track is dropped from the clip. Defaults are the
    published values.

    Args:
        embed_weight (float): Weight of the similarity of embeddings.
        mask_weight (float): Weight of the mask IoU, doubled if clips overlap.
        box_weight (float): Weight of the box IoU, doubled if clips overlap.
        score_weight (float): Weight of the detection score.
        label_weight (float): Added for the same class.
        new_iou (float): IoU that a new track is credited with.
        small_iou (float): The same for small instances.
        small_area (float): Instances are small if the product of their mean width and mean height
            is below this share of the input.
        redraw_scale (float): Redrawn masks are cropped by the circumscribed box, scaled by this.
        fade (float): Factor on the score of a redrawn track, for each frame.
        memory (int, optional): Clips for which an unseen track is kept. None, as published, keeps
            all, about 180 kB each at 384 x 640 with T = 3.
    """

    def __init__(
        self,
        embed_weight: float = 1.0,
        mask_weight: float = 0.5,
        box_weight: float = 0.5,
        score_weight: float = 0.1,
        label_weight: float = 0.3,
        new_iou: float = 0.3,
        small_iou: float = 0.15,
        small_area: float = 0.1,
        redraw_scale: float = 1.2,
        fade: float = 0.9,
        memory: int | None = None,
    ) -> None:
        super().__init__()
        self.embed_weight = embed_weight
        self.mask_weight = mask_weight
        self.box_weight = box_weight
        self.score_weight = score_weight
        self.label_weight = label_weight
        self.new_iou = new_iou
        self.small_iou = small_iou
        self.small_area = small_area
        self.redraw_scale = redraw_scale
        self.fade = fade
        self.memory = memory

    def step(
        self, state: TrackState, clip: InstanceData, frame_ids: Sequence[int], draw: Draw
    ) -> tuple[TrackState, InstanceData]:
        """Link the next clip.

        Args:
            state (TrackState): State before the clip; ``TrackState()`` at first.
            clip (InstanceData): N instances as from ``CiCo.detect``, with ``input_shape`` among
                its metainfo.
            frame_ids (Sequence[int]): The T frames of the clip.
            draw (Callable): Draws tracks on this clip's prototypes.

        Returns:
            tuple[TrackState, InstanceData]: The new state, and all tracks to be shown, with
            ``instances_id``, in order of their ids.
        """
        tracks = state.tracks
        if len(clip) == 0:  # tracks age, nothing is shown
            if tracks is not None:
                tracks = tracks[:]
                tracks.age = tracks.age + 1
                tracks = self._forget(tracks)
            clip.instances_id = torch.zeros_like(clip.labels)
            return TrackState(state.next_id, state.frame_ids, tracks), clip
        found = InstanceData(**{key: clip[key] for key in FIELDS})
        found.age = torch.zeros_like(clip.labels)
        if tracks is None:
            tracks, starts = found[:0], torch.ones_like(clip.labels).bool()
            tracks.instances_id = tracks.age
        else:
            tracks, starts = self._update(state, found, frame_ids, draw, clip.input_shape)
        new = chosen_rows(found, starts)
        new.instances_id = state.next_id + torch.arange(len(new), device=new.age.device)
        tracks = self._forget(InstanceData.cat([tracks, new]))
        state = TrackState(state.next_id + len(new), tuple(frame_ids), tracks)
        return state, chosen_rows(tracks, self._shown(tracks))

    def _update(
        self,
        state: TrackState,
        found: InstanceData,
        frame_ids: Sequence[int],
        draw: Draw,
        input_shape: tuple[int, int],
    ) -> tuple[InstanceData, Tensor]:
        """Return the old tracks after a clip, and the instances that start new ones."""
        old = state.tracks
        # a last clip may repeat frames: every pair of equal ones counts
        pairs = [
            (n, m)
            for n, frame in enumerate(frame_ids)
            for m, last in enumerate(state.frame_ids)
            if frame == last
        ]
        tracks = self._redrawn(old, draw, len(frame_ids))
        if pairs:
            now, last = (list(each) for each in zip(*pairs))
            masks, boxes = self._overlap(
                found.bboxes[:, now], found.masks[:, now], old.bboxes[:, last], old.masks[:, last]
            )
        else:
            masks, _ = self._overlap(found.bboxes, found.masks, tracks.bboxes, tracks.masks)
            boxes = pairwise_iou(found.bboxes[:, 0], tracks.bboxes[:, 0])
        score = self._scores(found, tracks, masks, boxes, 2 if pairs else 1, input_shape)
        best, choice = score.max(dim=1)
        rows = first_claims(best, choice, len(tracks)).nonzero()[:, 0]
        claimed = choice[rows]
        tracks.age = tracks.age + 1
        for key in (*FIELDS, 'age'):
            # mask parameters may be half precision in some clips only
            taken = found[key][rows].to(tracks[key])
            tracks[key] = tracks[key].index_copy(0, claimed, taken)
        return tracks, choice == len(tracks)

    def _overlap(
        self, boxes: Tensor, masks: Tensor, old_boxes: Tensor, old_masks: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return (N, M) mask IoU and box IoU, means over frames that show both."""
        iou, smaller = compare_masks(FlatMasks.of(masks > 0.5), FlatMasks.of(old_masks > 0.5))
        both = torch.stack([iou, pairwise_frame_iou(boxes, old_boxes)], dim=1)
        masks, boxes = mean_over(both, (smaller > 2)[:, None])
        return masks, boxes

    def _redrawn(self, tracks: InstanceData, draw: Draw, num_frames: int) -> InstanceData:
        """Return all tracks on the prototypes of the clip."""
        tracks = tracks[:]
        crops = scale_boxes(tracks.circumscribed, self.redraw_scale)
        tracks.masks = draw(tracks.mask_params, tracks.circumscribed, crops=crops)
        tracks.scores = tracks.scores * self.fade**num_frames
        tracks.circumscribed = tracks.bboxes[:, -1]
        tracks.bboxes = tracks.bboxes[:, -1:].expand_as(tracks.bboxes)
        return tracks

    def _scores(
        self,
        found: InstanceData,
        tracks: InstanceData,
        masks: Tensor,
        boxes: Tensor,
        factor: int,
        input_shape: tuple[int, int],
    ) -> Tensor:
        """Return (N, M + 1) matching scores, the last column for a new track."""
        similar = (cosine(found.embeds, tracks.embeds) + 1) / 2
        same = (found.labels[:, None] == tracks.labels[None]).float()
        iou = self.mask_weight * masks + self.box_weight * boxes
        sides = (found.bboxes[..., 2:] - found.bboxes[..., :2]).mean(dim=1)
        share = sides.prod(dim=-1) / (input_shape[0] * input_shape[1])
        credit = torch.where(share < self.small_area, self.small_iou, self.new_iou)
        new = (
            self.embed_weight / 2
            + (self.mask_weight + self.box_weight) * factor * credit
            + self.label_weight
        )
        old = self.embed_weight * similar + factor * iou
        score = torch.cat([old + self.label_weight * same, new[:, None]], 1)
        return score + self.score_weight * found.scores[:, None]

    def _forget(self, tracks: InstanceData) -> InstanceData:
        """Return the tracks that are still kept."""
        if self.memory is None:
            return tracks
        return chosen_rows(tracks, tracks.age < self.memory)

    @staticmethod
    def _shown(tracks: InstanceData) -> Tensor:
        """Return (M,) bool, whether a track was seen recently and has a mask."""
        recent = tracks.age <= max(3, 15 // tracks.masks.shape[1])
        drawn = (tracks.masks > 0.5).flatten(2).sum(-1) > 3
        return recent & (tracks.scores > 0.1) & drawn.any(dim=1)
