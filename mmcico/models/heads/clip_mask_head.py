"""Clip-level mask head (CMH): prototypes and the masks made of them."""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, is_norm
from mmdet.utils import ConfigType, OptConfigType
from torch import Tensor, nn

from mmcico.registry import MODELS
from mmcico.structures.clip_boxes import circumscribed_boxes, grow_boxes, scale_boxes
from mmcico.structures.clip_masks import crop_edges, within_edges
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs, Positives
from mmcico.structures.devices import numbers_like

from ..interfaces import accept_old_names, build_part
from ..layers.clip_tower import ClipTower
from ..layers.windows import Window, merge_windows
from ..losses.clip_seg_loss import at_map_size, sample_positives
from .proto_layers import ProtoLayers

#: instances that are drawn together when predicting; bounds memory
CHUNK = 64
#: methods that the head calls, with their arguments
UPSAMPLE = dict(
    fuse=('x', 'like'), forward=('x', 'num_frames'), part=('x', 'num_frames', 'outer', 'size')
)
GENERATOR = dict(forward=('protos', 'params', 'boxes'))
MASK_LOSS = dict(forward=('logits', 'targets', 'boxes', 'query'))


@MODELS.register_module()
class ClipMaskHead(ProtoLayers):
    """Clip-level mask head (paper section 3.3, Table 1d; eq. 5, 6 and 8).

    P3, P4 and P5 are convolved, brought to P3's size and summed; three convolutions over the clip,
    an enlargement to 1/4 of the input and two more convolutions on frames give the prototypes.

    Args:
        in_channels (int): Channels of the neck's levels.
        feat_channels (int): Channels inside the head.
        num_levels (int): Number of fine levels that are fused.
        conv (str): ``'3d'``, or ``'2d'``: frame-level prototypes (Table 1d).
        generator (dict): :class:`LinearMask` or :class:`DynamicMask`.
        upsample (dict): :class:`DeconvUpsample` (paper) or :class:`BilinearUpsample` (published
            models).
        norm_cfg (dict): Norm of the convolutions.
        proto_act_cfg (dict, optional): Activation of the prototypes. ReLU in the paper's models;
            None as in CondInst's own mask branch.
        conv_bias (bool | str): Whether convolutions before a norm have a bias; ``'auto'``: no.
            The published models have it.
        crop_scale (float): Masks are compared within, and cropped by, the circumscribed box,
            scaled about its centre by this.
        min_crop (float): Least width and height of that region, as a share of the input's. 0.1 in
            the published models.
        loss_mask (dict): :class:`ClipSegLoss`.
        loss_dice (dict, optional): A further loss, :class:`ClipDiceLoss`.
        max_positives (int): Positives of a clip whose masks are drawn in training; of more, a
            random subset.
        with_cp (bool): Whether training computes activations again instead of storing them.
        init_cfg (dict): Initialisation of the convolutions.

    Raises:
        ValueError: If a part does not have the methods that the head calls.
    """

    @accept_old_names(kind='conv')
    def __init__(
        self,
        in_channels: int = 256,
        feat_channels: int = 256,
        num_levels: int = 3,
        conv: str = '3d',
        generator: ConfigType = dict(type='mmcico.LinearMask'),
        upsample: ConfigType = dict(type='mmcico.DeconvUpsample'),
        norm_cfg: OptConfigType = dict(type='BN'),
        proto_act_cfg: OptConfigType = dict(type='ReLU'),
        conv_bias: bool | str = 'auto',
        crop_scale: float = 1.0,
        min_crop: float = 0.0,
        loss_mask: ConfigType = dict(type='mmcico.ClipSegLoss'),
        loss_dice: OptConfigType = None,
        max_positives: int = 100,
        with_cp: bool = False,
        init_cfg: ConfigType = dict(
            type='Xavier', layer=['Conv2d', 'Conv3d'], distribution='uniform'
        ),
    ) -> None:
        generator = build_part(MODELS, generator, 'mask_head.generator', **GENERATOR)
        super().__init__(init_cfg=init_cfg)
        self.num_levels = num_levels
        self.num_protos = generator.num_protos
        self.with_cp = with_cp
        upsample = dict(upsample, channels=feat_channels)
        self.upsample = build_part(MODELS, upsample, 'mask_head.upsample', **UPSAMPLE)

        def layer(channels: int) -> ConvModule:
            return ConvModule(
                channels, feat_channels, 3, padding=1, bias=conv_bias, norm_cfg=norm_cfg
            )

        self.refine = nn.ModuleList(layer(in_channels) for _ in range(num_levels))
        self.tower = ClipTower(feat_channels, feat_channels, 3, conv, norm_cfg, conv_bias, with_cp)
        self.reduce = nn.Sequential(
            layer(feat_channels),
            ConvModule(feat_channels, self.num_protos, 1, act_cfg=proto_act_cfg),
        )
        norms = filter(is_norm, self.modules())
        self.fixed_norms = all(getattr(each, 'running_mean', None) is not None for each in norms)
        self.crop_scale = crop_scale
        self.min_crop = min_crop
        self.max_positives = max_positives
        self.generator = generator
        self.loss_mask = build_part(MODELS, loss_mask, 'mask_head.loss_mask', **MASK_LOSS)
        self.loss_dice = (
            build_part(MODELS, loss_dice, 'mask_head.loss_dice', **MASK_LOSS) if loss_dice else None
        )

    @property
    def num_params(self) -> int:
        """int: k', mask parameters of an instance."""
        return self.generator.num_params

    def windows(self, boxes: Tensor, fused: Tensor, input_shape: Sequence[int]) -> list[Window]:
        """Find the windows of ``fused`` (..., h3, w3) whose prototypes the masks of instances need.

        Boxes (N, 4) are circumscribed boxes in pixels of the input, which has a height and width.
        """
        height, width = fused.shape[-2:]
        size = (2 * height, 2 * width)
        boxes = self.crop_boxes(self.to_map(boxes, size, input_shape), size)
        left, top, right, bottom = crop_edges(boxes, size).T.long().tolist()
        cells = zip(top, bottom, left, right)
        return merge_windows(
            [(t // 2, -(-b // 2), m // 2, -(-r // 2)) for t, b, m, r in cells if t < b and m < r],
            (height, width),
        )

    def loss(
        self,
        protos: Tensor,
        outputs: ClipOutputs,
        clips: Sequence[ClipGroundTruth],
        positives: Positives,
    ) -> dict:
        """Compare the masks of positive predictions with their objects (eq. 8).

        Args:
            protos (Tensor): (B, k, T, h, w).
            outputs (ClipOutputs): Predictions for B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.
            positives (Positives): The positive predictions.

        Returns:
            dict: ``loss_mask`` and, if configured, ``loss_dice``; zero with a graph if nothing is
            positive.
        """
        compared = self._to_compare(protos, outputs, clips, positives)
        losses = dict(loss_mask=self.loss_mask(*compared))
        if self.loss_dice is not None:
            losses['loss_dice'] = self.loss_dice(*compared)
        return losses

    def _to_compare(
        self,
        protos: Tensor,
        outputs: ClipOutputs,
        clips: Sequence[ClipGroundTruth],
        positives: Positives,
    ) -> list[Tensor]:
        """Return logits and targets (N, T, h, w), regions (N, 4) and query frames (N,)."""
        chosen = positives.take(sample_positives(positives.clip, self.max_positives))
        query = chosen.row
        if outputs.cls_scores.shape[1] < protos.shape[2]:  # central frame only
            query = torch.full_like(query, protos.shape[2] // 2)
        parts = []
        before = 0
        for index, clip in enumerate(clips):
            rows = (chosen.clip == index).nonzero()[:, 0]
            mine = chosen.take(rows)
            gt = mine.gt - before
            before += len(clip.instances)
            box = circumscribed_boxes(clip.instances.bboxes, clip.instances.visible)[gt]
            box = self.to_map(box, protos.shape[-2:], clip.instances.masks.shape[-2:])
            params = outputs.mask_params[index, mine.row, mine.prior]
            logits = self.generator(protos[index], params, box).float()
            targets = at_map_size(clip.instances.masks, protos.shape[-2:])[gt]
            region = self.crop_boxes(box, protos.shape[-2:])
            parts.append((logits, targets, region, query[rows]))
        return [torch.cat(each) for each in zip(*parts)]

    @staticmethod
    def to_map(boxes: Tensor, size: Sequence[int], input_shape: Sequence[int]) -> Tensor:
        """Convert boxes (N, 4) from pixels of the padded input to those of a map of size (h, w)."""
        fy, fx = size[0] / input_shape[0], size[1] / input_shape[1]
        return boxes * numbers_like(boxes, [fx, fy, fx, fy])

    def crop_boxes(self, boxes: Tensor, size: Sequence[int]) -> Tensor:
        """Return the regions (N, 4) of circumscribed boxes (N, 4), all in pixels of a map."""
        boxes = scale_boxes(boxes, self.crop_scale)
        if not self.min_crop:
            return boxes
        least = numbers_like(boxes, [size[1], size[0]]) * self.min_crop
        return grow_boxes(boxes, least)

    def predict(
        self, protos: Tensor, params: Tensor, boxes: Tensor, input_shape: Sequence[int]
    ) -> Tensor:
        """Draw and crop the masks of instances.

        Args:
            protos (Tensor): (k, T, h, w) of one clip.
            params (Tensor): (N, k').
            boxes (Tensor): (N, 4) circumscribed boxes in input pixels.
            input_shape (Sequence[int]): Height and width of the input.

        Returns:
            Tensor: (N, T, h, w) probabilities, 0 outside the boxes.
        """
        boxes = self.to_map(boxes, protos.shape[-2:], input_shape)
        regions = self.crop_boxes(boxes, protos.shape[-2:])
        return self._draw(protos, params, boxes, regions)

    def redraw(
        self,
        protos: Tensor,
        params: Tensor,
        boxes: Tensor,
        input_shape: Sequence[int],
        crops: Tensor | None = None,
    ) -> Tensor:
        """Draw instances of an earlier clip.

        Args:
            protos (Tensor): (k, T, h, w) of this clip.
            params (Tensor): (N, k').
            boxes (Tensor): (N, 4) circumscribed boxes in input pixels.
            input_shape (Sequence[int]): Height and width of the input.
            crops (Tensor, optional): (N, 4) boxes that masks are cropped by, without the head's
                own scaling. Default: ``boxes``.

        Returns:
            Tensor: (N, T, h, w) probabilities.
        """
        boxes = self.to_map(boxes, protos.shape[-2:], input_shape)
        regions = boxes if crops is None else self.to_map(crops, protos.shape[-2:], input_shape)
        return self._draw(protos, params, boxes, regions)

    def _draw(self, protos: Tensor, params: Tensor, boxes: Tensor, regions: Tensor) -> Tensor:
        """Return (N, T, h, w) probabilities; boxes and regions are in map pixels."""
        size = protos.shape[-2:]
        masks = protos.new_zeros(len(params), protos.shape[1], *size, dtype=torch.float)
        if len(params) == 0:
            return masks
        edges = crop_edges(regions, size)
        left, top, right, bottom = bounding_window(edges)
        inside = within_edges(edges, (left, top, right, bottom))
        # generators work on coordinates, which begin at the window's corner
        boxes = boxes - numbers_like(boxes, [left, top, left, top])
        window = (..., slice(top, bottom), slice(left, right))
        for some, circumscribed, crop, out in zip(
            params.split(CHUNK), boxes.split(CHUNK), inside.split(CHUNK), masks.split(CHUNK)
        ):
            logits = self.generator(protos[window], some, circumscribed).float()
            out[window] = logits.sigmoid() * crop[:, None]
        return masks


def bounding_window(edges: Tensor) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the window that holds regions (N, 4).

    Left and top are even, so that centres are rounded (half to even) as without a window.
    """
    corners = edges.cpu().numpy()
    left, top = (int(x) for x in corners[:, :2].min(axis=0))
    right, bottom = (int(x) for x in corners[:, 2:].max(axis=0))
    left, top = left // 2 * 2, top // 2 * 2
    return left, top, max(right, left), max(bottom, top)
