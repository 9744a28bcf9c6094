"""Layers of the prediction heads, and the windows of feature maps that they run on."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from mmdet.utils import OptConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers.clip_tower import ClipTower, frames_to_clip
from ..layers.windows import Window, crop, merge_windows, worthwhile
from ..losses.head_losses import CLASS_LOSS, uses_sigmoid


class HeadLayers(BaseModule):
    """Towers of convolutions, followed by a 3x3 layer for each kind of output.

    They need the attributes below, which :class:`CiCoHead` sets; it gives the outputs a meaning.
    """

    num_frames: int
    #: frames of a clip that make predictions
    query_frames: range
    #: A, anchors of a cell
    num_anchors: int
    #: whether towers need no statistics of a whole map
    local: bool
    anchor_generator: Any
    #: anchors of the last sizes of levels; a GPU would be waited for to make them again
    known_priors: tuple[Any, Any] = (None, None)

    cls_tower: ClipTower
    box_tower: ClipTower
    track_tower: ClipTower
    cls_layer: nn.Conv2d
    bbox_layer: nn.Conv2d
    mask_layer: nn.Conv2d
    track_layer: nn.Conv2d
    centerness_layer: nn.Conv2d | None

    def forward_frames(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Run the step that needs one frame at a time, on levels (F, C, h, w).

        Returns:
            list[Tensor]: Class logits (F, A * K, h, w); empty if the class tower is 3D.
        """
        if self.cls_tower.conv == '3d':
            return []
        return [self.cls_layer(self.cls_tower(x, 1)) for x in feats]

    def class_logits(self, feats: Sequence[Tensor], frame_logits: Sequence[Tensor]) -> Tensor:
        """Compute the class logits (B, Q, P, K) of all predictions.

        ``feats`` are levels (B * T, C, h, w), ``frame_logits`` the result of :meth:`forward_frames`
        for them.
        """
        logits = frame_logits or [self.cls_layer(self.cls_tower(x, self.num_frames)) for x in feats]
        return self.flatten_levels([self._queries(x) for x in logits])

    def windows(self, chosen: Tensor, feats: Sequence[Tensor]) -> list[list[Window]]:
        """Find the parts of levels (B * T, C, h, w) that chosen predictions (B, Q, P) need.

        Towers with a norm, which may use statistics of a whole map, need all of it.
        """
        sizes = [x.shape[-2:] for x in feats]
        found = level_windows(chosen, sizes, self.num_anchors)
        return [
            each if not each or (self.local and worthwhile(each, size)) else [whole(size)]
            for each, size in zip(found, sizes)
        ]

    def output_maps(self, x: Tensor, windows: Sequence[Window] | None = None) -> list[Tensor]:
        """Compute the outputs of a level (B * T, C, h, w), exact inside windows and 0 elsewhere.

        Without windows, all is computed. The outputs are boxes, mask parameters, embeddings and, if
        there is one, centerness, each (B * Q, A * V, h, w).
        """
        layers = [self.bbox_layer, self.mask_layer, self.track_layer]
        if self.centerness_layer is not None:
            layers.append(self.centerness_layer)
        size = x.shape[-2:]
        if windows is None or list(windows) == [whole(size)]:
            box = self._queries(self.box_tower(x, self.num_frames))
            track = self._queries(self.track_tower(x, self.num_frames))
            return [layer(each) for layer, each in zip(layers, (box, box, track, box))]
        number = len(x) // self.num_frames * len(self.query_frames)
        maps = [x.new_zeros(number, *size, layer.out_channels) for layer in layers]
        maps = [out.permute(0, 3, 1, 2) for out in maps]
        for window in windows:
            # the layers after the towers reach one cell further
            box, place = self.box_tower.part(x, self.num_frames, window, 1)
            track, _ = self.track_tower.part(x, self.num_frames, window, 1)
            box, track = self._queries(box), self._queries(track)
            for out, layer, each in zip(maps, layers, (box, box, track, box)):
                found = crop(layer(each), place, window)
                crop(out, whole(size), window).copy_(found)
        return maps

    def _queries(self, x: Tensor) -> Tensor:
        """Return the frames that make predictions, (B * T, C, h, w) -> (B * Q, C, h, w)."""
        if len(self.query_frames) == self.num_frames:
            return x
        return frames_to_clip(x, self.num_frames)[:, :, self.query_frames[0]]

    def flatten_levels(self, levels: Sequence[Tensor]) -> Tensor:
        """Put the maps of all levels, each (B * Q, A * V, h, w), into one axis: (B, Q, P, V).

        The V values of an anchor are next to each other.
        """
        values = [
            x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1] // self.num_anchors)
            for x in levels
        ]
        return torch.cat(values, dim=1).unflatten(0, (-1, len(self.query_frames)))

    def priors(self, feats: Sequence[Tensor]) -> Tensor:
        """Return the (P, 4) anchors of all levels, xyxy in pixels of the input.

        Raises:
            ValueError: If the numbers of levels and of strides differ.
        """
        strides = self.anchor_generator.strides
        if len(feats) != len(strides):
            raise ValueError(
                f'the neck gives {len(feats)} levels, anchor_generator has strides for '
                f'{len(strides)}: {strides}; set num_outs of the neck or the strides'
            )
        sizes, device = [x.shape[-2:] for x in feats], feats[0].device
        make = partial(self.anchor_generator.grid_priors, dtype=torch.float32, device=device)
        if torch.jit.is_tracing():  # sizes are not numbers
            return torch.cat(make(sizes))
        key = (tuple(map(tuple, sizes)), device)
        known = self.known_priors  # other threads may replace it
        if known[0] != key:
            self.known_priors = known = (key, torch.cat(make(sizes)))
        return known[1]


def whole(size: Sequence[int]) -> Window:
    """Return the window that is a whole map."""
    return 0, size[0], 0, size[1]


def level_windows(
    chosen: Tensor, sizes: Sequence[Sequence[int]], num_anchors: int
) -> list[list[Window]]:
    """Find windows of each level that hold all chosen predictions, none if nothing is chosen there.

    ``chosen`` is (B, Q, P) bool in the order of :class:`ClipOutputs`; ``sizes`` are the heights and
    widths of the levels.
    """
    cells = chosen.flatten(0, 1).any(dim=0).unflatten(0, (-1, num_anchors)).any(dim=1)
    found = cells.nonzero()[:, 0].tolist()
    windows, before = [], 0
    for height, width in sizes:
        end = before + height * width
        places = [divmod(each - before, width) for each in found if before <= each < end]
        singles = [(row, row + 1, column, column + 1) for row, column in places]
        windows.append(merge_windows(singles, (height, width)))
        before = end
    return windows


def output_kinds(
    losses: OptConfigType, use_sigmoid: bool | None = None, with_centerness: bool | None = None
) -> tuple[bool, bool]:
    """Return whether a head has independent classes and a centerness; losses say the default."""
    if use_sigmoid is None:
        use_sigmoid = uses_sigmoid((losses or {}).get('loss_cls', CLASS_LOSS))
    if with_centerness is None:
        with_centerness = bool((losses or {}).get('loss_centerness'))
    return use_sigmoid, with_centerness
