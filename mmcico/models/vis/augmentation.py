"""Test-time augmentation: a clip is seen flipped and in other sizes, and the views are averaged."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.structures.clip_masks import pairwise_mask_iou
from mmcico.structures.devices import chosen_rows, numbers_like

from ..trackers.matching import HungarianMatching
from .clip_network import ClipInput, Detection, VideoState
from .frame_features import KnownFrames

#: fields of instances that are averaged over the views which found the instance
MEAN = ('bboxes', 'circumscribed', 'rank_weight', 'masks', 'embeds')
#: fields that are averaged over all views; a view that did not find the instance counts as 0
MEAN_OF_ALL = ('scores', 'class_scores')
DIVISOR = 32
#: channel of mmcico.ClipMotion that changes its sign in a mirror image
MOTION_TO_THE_RIGHT = 1


class View(NamedTuple):
    """One way to see a clip.

    Attributes:
        factor (float): Factor on the size of the input; sides become multiples of 32.
        flip (bool): Whether frames are mirrored, left to right.
        negated (tuple[int, ...]): Channels of the input that change their sign in a mirror, such as
            motion to the right.
    """

    factor: float
    flip: bool
    negated: tuple[int, ...] = ()

    def size(self, input_shape: Sequence[int]) -> tuple[int, int]:
        """Return the height and width of the view of an input."""
        height, width = (
            side if self.factor == 1 else DIVISOR * max(1, round(side * self.factor / DIVISOR))
            for side in input_shape
        )
        return height, width

    def maps(self, maps: Tensor, size: Sequence[int]) -> Tensor:
        """Resize frames or masks (A, B, h, w) to a height and width and flip them, either way."""
        if tuple(maps.shape[-2:]) != tuple(size):
            maps = F.interpolate(maps, tuple(size), mode='bilinear', align_corners=False)
        return maps.flip(-1) if self.flip else maps

    def frames(self, inputs: Tensor, size: Sequence[int]) -> Tensor:
        """Resize and flip normalised frames (T, C, H, W)."""
        seen = self.maps(inputs, size)
        if self.flip and self.negated:
            signs = seen.new_ones(seen.shape[1])
            signs[list(self.negated)] = -1
            seen = seen * signs[:, None, None]
        return seen

    def boxes(self, boxes: Tensor, size: Sequence[int], target: Sequence[int]) -> Tensor:
        """Resize and flip boxes (..., 4) of an input of ``size`` into one of ``target``."""
        boxes = boxes * numbers_like(boxes, [target[1] / size[1], target[0] / size[0]] * 2)
        if self.flip:
            x1, y1, x2, y2 = boxes.unbind(-1)
            boxes = torch.stack([target[1] - x2, y1, target[1] - x1, y2], dim=-1)
        return boxes


def make_views(
    flip: bool = True, scales: Sequence[float] = (1.0,), negated: Sequence[int] = ()
) -> tuple[View, ...]:
    """Return the views of ``test_cfg.tta``, the input as it is first.

    Each size is the input's times one of ``scales``, among which 1 always is, and is also seen
    mirrored if ``flip`` is set; the channels ``negated`` of the input then change their sign.

    Raises:
        ValueError: If a factor is not positive.
    """
    if not all(scale > 0 for scale in scales):
        raise ValueError(f'test_cfg.tta.scales has {list(scales)}; factors must be above 0')
    factors = dict.fromkeys([1.0, *map(float, scales)])
    flips = (False, True) if flip else (False,)
    return tuple(View(factor, flipped, tuple(negated)) for factor in factors for flipped in flips)


class ViewedClips:
    """Detect the instances of clips in several views and average them.

    An instance of one view is that of another if they have the same class and the IoU of their
    masks, over all frames together, is above ``iou_thr``; pairs are one to one. Masks, boxes and
    embeddings are averaged over the views that found the instance. Scores are averaged over all
    views, so that an instance which few of them found is worth little.

    Args:
        views (Sequence[View]): The input as it is first.
        iou_thr (float): Least IoU of masks. Defaults to 0.5.
    """

    def __init__(self, views: Sequence[View], iou_thr: float = 0.5) -> None:
        self.views = views
        self.iou_thr = iou_thr
        self.matching = HungarianMatching()

    def detections(
        self, model: Any, state: VideoState, clips: Sequence[ClipInput]
    ) -> Iterator[Detection]:
        """Run the network on the next clips of a video, one after the other, once for each view.

        Args:
            model (CiCo): The model.
            state (VideoState): State before the clips.
            clips (Sequence[ClipInput]): Consecutive clips with frames of one size.

        Yields:
            Detection: Of each clip; ``mask_params`` (N, V, k') of its averaged instances are those
            of each view, NaN where it did not find the instance.
        """
        for clip in clips:
            state, found, draw = self._detection(model, state, clip)
            yield state, found, draw

    def _detection(self, model: Any, state: VideoState, clip: ClipInput) -> Detection:
        """Run the network on one clip, once for each view."""
        shape = clip.inputs.shape[-2:]
        known = state.views or (KnownFrames(),) * len(self.views)
        found, protos, after = [], [], []
        for view, before in zip(self.views, known):
            size = view.size(shape)
            result = model.network(
                model, before, clip._replace(inputs=view.frames(clip.inputs, size))
            )
            own = model.detect(result.outputs, result.protos, size)
            for key in ('bboxes', 'circumscribed'):
                own[key] = view.boxes(own[key], size, shape)
            found.append(own)
            protos.append(result.protos)
            after.append(result.known)
        for view, own in zip(self.views, found):
            own.masks = view.maps(own.masks, protos[0].shape[-2:])
        merged = self.average(found)
        merged = chosen_rows(merged, merged.scores > model.nms.score_thr)
        merged.set_metainfo(dict(input_shape=tuple(shape)))
        draw = partial(self.redraw, model, protos, shape)
        return replace(state, views=tuple(after)), merged, draw

    def average(self, clips: Sequence[InstanceData]) -> InstanceData:
        """Average the instances of all views, at the places of the input; best score first."""
        clips = [clip[:] for clip in clips]  # copies
        for number, clip in enumerate(clips):
            params = clip.mask_params
            clip.mask_params = params.new_full((len(clip), len(clips), params.shape[1]), torch.nan)
            clip.mask_params[:, number] = params
            clip.num_views = torch.ones_like(clip.scores)
        merged = clips[0]
        for clip in clips[1:]:
            merged = self._add(merged, clip)
        for key in MEAN_OF_ALL:
            merged[key] = merged[key] / len(clips)
        for key in MEAN:
            count = merged.num_views.view(-1, *[1] * (merged[key].dim() - 1))
            merged[key] = merged[key] / count
        merged.embeds = F.normalize(merged.embeds, dim=-1)
        merged.pop('num_views')
        return merged[merged.scores.argsort(descending=True, stable=True)]

    def _add(self, merged: InstanceData, clip: InstanceData) -> InstanceData:
        """Add the instances of the next view to sums over the views before."""
        mean = merged.masks / merged.num_views[:, None, None, None]
        planes = [(masks > 0.5).flatten(1, 2)[:, None] for masks in (mean, clip.masks)]
        same = merged.labels[:, None] == clip.labels
        rows, cols = self.matching(pairwise_mask_iou(*planes)[0] * same, self.iou_thr)
        for key in (*MEAN, *MEAN_OF_ALL, 'num_views'):
            merged[key] = merged[key].index_add(0, rows, clip[key][cols])
        params = clip.mask_params[cols]
        merged.mask_params[rows] = params.where(~params.isnan(), merged.mask_params[rows])
        alone = torch.ones_like(clip.labels, dtype=torch.bool)
        alone[cols] = False
        return InstanceData.cat([merged, chosen_rows(clip, alone)])

    def redraw(
        self,
        model: Any,
        protos: Sequence[Tensor],
        shape: Sequence[int],
        params: Tensor,
        boxes: Tensor,
        crops: Tensor | None = None,
    ) -> Tensor:
        """Draw instances of an earlier clip in each view that found them, and average the masks.

        Args:
            model (CiCo): Its mask head draws.
            protos (Sequence[Tensor]): Prototypes (k, T, h, w) of each view of this clip.
            shape (tuple[int, int]): Height and width of the input.
            params (Tensor): (N, V, k').
            boxes (Tensor): (N, 4) circumscribed boxes in input pixels.
            crops (Tensor, optional): (N, 4) boxes that masks are cropped by.

        Returns:
            Tensor: (N, T, h, w) probabilities.
        """
        total = protos[0].new_zeros(len(params), *protos[0].shape[1:])
        found = ~params.isnan().any(dim=-1)
        for number, (view, prototypes) in enumerate(zip(self.views, protos)):
            size = view.size(shape)
            rows = found[:, number].nonzero()[:, 0]
            own = [
                each if each is None else view.boxes(each[rows], shape, size)
                for each in (boxes, crops)
            ]
            drawn = model.mask_head.redraw(prototypes, params[rows, number], own[0], size, own[1])
            total.index_add_(0, rows, view.maps(drawn, total.shape[-2:]).to(total))
        return total / found.sum(dim=1)[:, None, None, None]


def mirror_motion(cfg: Config | ConfigDict) -> None:
    """Let the mirror images of test-time augmentation change the sign of motion, in place.

    A config whose test or validation pipeline has ``ClipMotion`` need not set
    ``test_cfg.tta.negated``.
    """
    tta = (cfg.model.get('test_cfg') or {}).get('tta')
    loaders = [cfg.get(f'{stage}_dataloader') or {} for stage in ('test', 'val')]
    pipelines = [(each.get('dataset') or {}).get('pipeline') or () for each in loaders]
    kinds = [step.get('type') for steps in pipelines for step in steps]
    names = [getattr(kind, '__name__', kind) for kind in kinds]
    if isinstance(tta, dict) and {'mmcico.ClipMotion', 'ClipMotion'} & set(names):
        tta.setdefault('negated', [MOTION_TO_THE_RIGHT])
