"""Layers of the prediction heads, and the windows of feature maps that they run on."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers.clip_tower import ClipTower, frames_to_clip

#: the paper's towers (Table 1b): class 2D, box and track 3D, four layers
PAPER_TOWERS = dict(cls='2d', box='3d', track='3d', num_convs=4, channels=256)
#: first and end row, first and end column of a map
Window = tuple[int, int, int, int]


class HeadLayers(BaseModule):
    """Towers of convolutions, followed by a 3x3 layer for each kind of output.

    Subclasses give the outputs a meaning; see :class:`CiCoHead`.

    Args:
        in_channels (int): Channels of the neck's levels.
        num_frames (int): T.
        query_frames (str): ``'all'`` or ``'central'``, frames of a clip that make predictions.
        num_anchors (int): A, anchors of a cell.
        towers (dict): Settings that differ from :data:`PAPER_TOWERS`.
        values (dict[str, int]): Values of an anchor in the outputs ``cls``, ``bbox``, ``mask``,
            ``track`` and, if there is one, ``centerness``.
        init_cfg (dict): Initialisation of the convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        num_frames: int,
        query_frames: str,
        num_anchors: int,
        towers: dict,
        values: dict[str, int],
        init_cfg: dict,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if query_frames not in ('all', 'central'):
            raise ValueError(f"query_frames is 'all' or 'central', got {query_frames!r}")
        if num_frames < 1:
            raise ValueError(f'num_frames must be at least 1, got {num_frames}')
        self.num_frames = num_frames
        centre = num_frames // 2
        self.query_frames = (
            range(num_frames) if query_frames == 'all' else range(centre, centre + 1)
        )
        self.num_anchors = num_anchors
        towers = dict(PAPER_TOWERS, **towers)
        channels, norm_cfg = towers['channels'], towers.get('norm_cfg')
        self.reach = towers['num_convs'] + 1
        self.local = norm_cfg is None

        def tower(conv: str) -> ClipTower:
            return ClipTower(in_channels, channels, towers['num_convs'], conv, norm_cfg)

        def layer(values: int) -> nn.Conv2d:
            return nn.Conv2d(channels, num_anchors * values, 3, padding=1)

        self.cls_tower = tower(towers['cls'])
        self.box_tower = tower(towers['box'])
        self.track_tower = tower(towers['track'])
        self.cls_layer = layer(values['cls'])
        self.bbox_layer = layer(values['bbox'])
        self.mask_layer = layer(values['mask'])
        self.track_layer = layer(values['track'])
        self.centerness_layer = layer(values['centerness']) if 'centerness' in values else None

    def forward_frames(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Run the step that needs one frame at a time, on levels (F, C, h, w).

        Returns:
            list[Tensor]: Class logits (F, A * K, h, w); empty if the class tower is 3D.
        """
        if self.cls_tower.conv == '3d':
            return []
        return [self.cls_layer(self.cls_tower(x, 1)) for x in feats]

    def class_logits(self, feats: Sequence[Tensor], frame_logits: Sequence[Tensor]) -> Tensor:
        """Compute the class logits of all predictions.

        Args:
            feats (Sequence[Tensor]): Levels (B * T, C, h, w).
            frame_logits (Sequence[Tensor]): Result of :meth:`forward_frames` for them.

        Returns:
            Tensor: (B, Q, P, K) logits.
        """
        logits = frame_logits or [self.cls_layer(self.cls_tower(x, self.num_frames)) for x in feats]
        return self.flatten_levels([self._queries(x) for x in logits])

    def windows(self, chosen: Tensor, feats: Sequence[Tensor]) -> list[Window]:
        """Find the parts of levels (B * T, C, h, w) that chosen predictions (B, Q, P) need.

        Towers with a norm, which may use statistics of a whole map, need all of it.
        """
        sizes = [x.shape[-2:] for x in feats]
        found = level_windows(chosen, sizes, self.num_anchors)
        return found if self.local else whole(found, sizes)

    def output_maps(self, x: Tensor, window: Window) -> list[Tensor]:
        """Compute the outputs of one level, exact inside a window and 0 outside.

        Args:
            x (Tensor): Level (B * T, C, h, w).
            window (Window): Where values are needed.

        Returns:
            list[Tensor]: Boxes, mask parameters, embeddings and, if there is one, centerness,
            each (B * Q, A * V, h, w).
        """
        layers = [self.bbox_layer, self.mask_layer, self.track_layer]
        if self.centerness_layer is not None:
            layers.append(self.centerness_layer)
        size = x.shape[-2:]
        if window[0] == window[1]:
            number = len(x) // self.num_frames * len(self.query_frames)
            return [x.new_zeros(number, layer.out_channels, *size) for layer in layers]
        # every convolution reaches one cell further
        outer = widen(window, self.reach, size)
        part = x[..., outer[0] : outer[1], outer[2] : outer[3]]
        box = self._queries(self.box_tower(part, self.num_frames))
        track = self._queries(self.track_tower(part, self.num_frames))
        feats = [box, box, track, box]
        return [paste(layer(each), window, outer, size) for layer, each in zip(layers, feats)]

    def _queries(self, x: Tensor) -> Tensor:
        """Return the frames that make predictions, (B * T, C, h, w) -> (B * Q, C, h, w)."""
        if len(self.query_frames) == self.num_frames:
            return x
        return frames_to_clip(x, self.num_frames)[:, :, self.query_frames[0]]

    def flatten_levels(self, levels: Sequence[Tensor]) -> Tensor:
        """Put the maps of all levels into one axis of anchors.

        Args:
            levels (Sequence[Tensor]): (B * Q, A * V, h, w) each, the V values of an anchor next
                to each other.

        Returns:
            Tensor: (B, Q, P, V).
        """
        values = [
            x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1] // self.num_anchors)
            for x in levels
        ]
        return torch.cat(values, dim=1).unflatten(0, (-1, len(self.query_frames)))


def bounds(chosen: Tensor) -> tuple[int, int]:
    """Return the first and end index of the entries of (n,) bool that are set."""
    where = chosen.nonzero()
    if len(where) == 0:
        return 0, 0
    return int(where[0]), int(where[-1]) + 1


def level_windows(chosen: Tensor, sizes: Sequence[Sequence[int]], num_anchors: int) -> list[Window]:
    """Find the smallest window of each level that holds all chosen predictions.

    Args:
        chosen (Tensor): (B, Q, P) bool, in the order of :class:`ClipOutputs`.
        sizes (Sequence[Sequence[int]]): Height and width of each level.
        num_anchors (int): Anchors of a cell.

    Returns:
        list[Window]: Of each level, (0, 0, 0, 0) if nothing is chosen there.
    """
    counts = [height * width * num_anchors for height, width in sizes]
    windows = []
    for level, size in zip(chosen.split(counts, dim=-1), sizes):
        cells = level.unflatten(-1, (*size, num_anchors))
        cells = cells.flatten(0, 1).any(dim=0).any(dim=-1)
        windows.append((*bounds(cells.any(dim=1)), *bounds(cells.any(dim=0))))
    return windows


def widen(window: Window, margin: int, size: Sequence[int]) -> Window:
    """Return a window with a margin on all sides, clipped to the size of the map."""
    top, bottom, left, right = window
    return (
        max(top - margin, 0),
        min(bottom + margin, size[0]),
        max(left - margin, 0),
        min(right + margin, size[1]),
    )


def paste(part: Tensor, inner: Window, outer: Window, size: Sequence[int]) -> Tensor:
    """Put values that were computed on a wider window onto a map of zeros.

    Args:
        part (Tensor): (N, C, h', w') on the outer window.
        inner (Window): Where its values are exact.
        outer (Window): Its place on the map.
        size (Sequence[int]): Height and width of the map.

    Returns:
        Tensor: (N, C, h, w).
    """
    top, bottom, left, right = inner
    if (top, bottom, left, right) == (0, size[0], 0, size[1]):
        return part
    out = part.new_zeros((*part.shape[:2], *size))
    out[..., top:bottom, left:right] = part[
        ..., top - outer[0] : bottom - outer[0], left - outer[2] : right - outer[2]
    ]
    return out


def whole(windows: Sequence[Window], sizes: Sequence[Sequence[int]]) -> list[Window]:
    """Enlarge all windows that are not empty to their whole maps."""
    return [
        (0, size[0], 0, size[1]) if window[1] > window[0] else window
        for window, size in zip(windows, sizes)
    ]
