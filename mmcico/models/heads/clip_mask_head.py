"""Clip-level mask head (CMH): prototypes and the masks made of them."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcico.registry import MODELS
from mmcico.structures.axes import frames_to_clip
from mmcico.structures.clip_boxes import circumscribed_boxes, grow_boxes, scale_boxes
from mmcico.structures.clip_masks import crop_region
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs, Positives
from mmcico.utils.renamed import accept_old_names

from ..interfaces import build_part
from ..layers.clip_tower import ClipTower

#: instances that are drawn together when predicting; bounds memory
CHUNK = 64
#: methods that the head calls, with their arguments
GENERATOR = dict(forward=('protos', 'params', 'boxes'))
UPSAMPLE = dict(fuse=('x', 'like'), forward=('x', 'num_frames'))
MASK_LOSS = dict(forward=('logits', 'targets', 'boxes', 'query'))


@MODELS.register_module()
class ClipMaskHead(BaseModule):
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
        init_cfg: ConfigType = dict(
            type='Xavier', layer=['Conv2d', 'Conv3d'], distribution='uniform'
        ),
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.num_levels = num_levels
        self.crop_scale = crop_scale
        self.min_crop = min_crop
        self.max_positives = max_positives
        self.generator = build_part(MODELS, generator, 'mask_head.generator', **GENERATOR)
        upsample = dict(upsample, channels=feat_channels)
        self.upsample = build_part(MODELS, upsample, 'mask_head.upsample', **UPSAMPLE)
        self.loss_mask = build_part(MODELS, loss_mask, 'mask_head.loss_mask', **MASK_LOSS)
        self.loss_dice = (
            build_part(MODELS, loss_dice, 'mask_head.loss_dice', **MASK_LOSS) if loss_dice else None
        )
        self.refine = nn.ModuleList(
            ConvModule(in_channels, feat_channels, 3, padding=1, bias=conv_bias, norm_cfg=norm_cfg)
            for _ in range(num_levels)
        )
        self.tower = ClipTower(feat_channels, feat_channels, 3, conv, norm_cfg, conv_bias)
        self.reduce = nn.Sequential(
            ConvModule(
                feat_channels, feat_channels, 3, padding=1, bias=conv_bias, norm_cfg=norm_cfg
            ),
            ConvModule(feat_channels, self.generator.num_protos, 1, act_cfg=proto_act_cfg),
        )

    @property
    def num_params(self) -> int:
        """int: k', mask parameters of an instance."""
        return self.generator.num_params

    def forward_frames(self, feats: Sequence[Tensor]) -> Tensor:
        """Run the step that needs one frame at a time: fusion of levels.

        Args:
            feats (Sequence[Tensor]): Levels (F, C, h, w) of any F frames.

        Returns:
            Tensor: (F, C', h3, w3) at the size of the finest level.
        """
        finest = self.refine[0](feats[0])
        fused = finest
        for conv, x in zip(self.refine[1:], feats[1:]):
            fused = fused + self.upsample.fuse(conv(x), finest)
        return fused

    def forward_clips(self, fused: Tensor, num_frames: int) -> Tensor:
        """Run the step that needs all frames of a clip.

        Args:
            fused (Tensor): (B * T, C', h3, w3).
            num_frames (int): T.

        Returns:
            Tensor: (B, k, T, 2 h3, 2 w3) prototypes.
        """
        x = self.upsample(self.tower(fused, num_frames), num_frames)
        return frames_to_clip(self.reduce(x), num_frames)

    def zero_protos(self, fused: Tensor, num_frames: int) -> Tensor:
        """Return prototypes of zeros, for clips without candidates."""
        height, width = fused.shape[-2:]
        return fused.new_zeros(
            len(fused) // num_frames, self.generator.num_protos, num_frames, 2 * height, 2 * width
        )

    def forward(self, feats: Sequence[Tensor], num_frames: int) -> Tensor:
        """Run both steps on B clips, levels (B * T, C, h, w)."""
        return self.forward_clips(self.forward_frames(feats), num_frames)

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
        chosen = positives.take(sample_positives(positives.clip, self.max_positives))
        query = chosen.row
        if outputs.cls_scores.shape[1] < protos.shape[2]:  # central frame only
            query = torch.full_like(query, protos.shape[2] // 2)
        logits, targets, boxes, queries = [], [], [], []
        before = 0
        for index, clip in enumerate(clips):
            mine = chosen.take(chosen.clip == index)
            gt = mine.gt - before
            before += len(clip.instances)
            box = circumscribed_boxes(clip.instances.bboxes, clip.instances.visible)[gt]
            box = self.to_map(box, protos, clip.instances.masks.shape[-2:])
            params = outputs.mask_params[index, mine.row, mine.prior]
            logits.append(self.generator(protos[index], params, box).float())
            targets.append(at_map_size(clip.instances.masks, protos.shape[-2:])[gt])
            boxes.append(self.crop_boxes(box, protos.shape[-2:]))
            queries.append(query[chosen.clip == index])
        args = (torch.cat(logits), torch.cat(targets), torch.cat(boxes), torch.cat(queries))
        losses = dict(loss_mask=self.loss_mask(*args))
        if self.loss_dice is not None:
            losses['loss_dice'] = self.loss_dice(*args)
        return losses

    @staticmethod
    def to_map(boxes: Tensor, protos: Tensor, input_shape: Sequence[int]) -> Tensor:
        """Convert boxes (N, 4) from pixels of the padded input to those of protos (..., h, w)."""
        fy = protos.shape[-2] / input_shape[0]
        fx = protos.shape[-1] / input_shape[1]
        return boxes * boxes.new_tensor([fx, fy, fx, fy])

    def crop_boxes(self, boxes: Tensor, size: Sequence[int]) -> Tensor:
        """Return the regions (N, 4) of circumscribed boxes (N, 4), all in pixels of a map."""
        boxes = scale_boxes(boxes, self.crop_scale)
        if not self.min_crop:
            return boxes
        least = boxes.new_tensor([size[1], size[0]]) * self.min_crop
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
        boxes = self.to_map(boxes, protos, input_shape)
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
        boxes = self.to_map(boxes, protos, input_shape)
        regions = boxes if crops is None else self.to_map(crops, protos, input_shape)
        return self._draw(protos, params, boxes, regions)

    def _draw(self, protos: Tensor, params: Tensor, boxes: Tensor, regions: Tensor) -> Tensor:
        """Return (N, T, h, w) probabilities; boxes and regions are in map pixels."""
        inside = crop_region(regions, protos.shape[-2:])
        parts = [
            self.generator(protos, some, circumscribed).float().sigmoid()
            for some, circumscribed in zip(params.split(CHUNK), boxes.split(CHUNK))
        ]
        return torch.cat(parts) * inside[:, None]


def at_map_size(masks: Tensor, size: Sequence[int]) -> Tensor:
    """Compute the share of each map pixel that an object covers.

    Args:
        masks (Tensor): (G, T, H, W) uint8 or bool at input size.
        size (Sequence[int]): Height and width (h, w) of the map.

    Returns:
        Tensor: (G, T, h, w) float in [0, 1].
    """
    if masks.numel() == 0:
        return masks.new_zeros((*masks.shape[:2], *size), dtype=torch.float)
    return F.adaptive_avg_pool2d(masks.float(), tuple(size))


def sample_positives(clip_index: Tensor, limit: int) -> Tensor:
    """Choose at most ``limit`` positives of each clip at random.

    Args:
        clip_index (Tensor): (N,) clip of each positive, in ascending order.
        limit (int): Positives of a clip to keep.

    Returns:
        Tensor: Sorted indices of those kept, all if there are few enough.
    """
    order = torch.arange(len(clip_index), device=clip_index.device)
    kept = []
    for index in clip_index.unique():
        mine = order[clip_index == index]
        if len(mine) > limit:
            pick = torch.randperm(len(mine), device=mine.device)[:limit]
            mine = mine[pick.sort().values]
        kept.append(mine)
    return torch.cat(kept) if kept else order
