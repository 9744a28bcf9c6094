"""Clip-level mask head (CMH): prototypes and the masks made of them."""

from collections.abc import Sequence

import torch
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

from ..layers.clip_tower import ClipTower
from .mask_targets import at_map_size, sample_positives

#: instances that are drawn together when predicting; bounds memory
CHUNK = 64


@MODELS.register_module()
class ClipMaskHead(BaseModule):
    """Clip-level mask head (paper section 3.3, Table 1d; eq. 5, 6 and 8).

    P3, P4 and P5 are convolved, brought to P3's size and summed; three
    convolutions over the clip, an enlargement to 1/4 of the input and two
    more convolutions on frames give the prototypes.

    Args:
        in_channels (int): Channels of the neck's levels.
        feat_channels (int): Channels inside the head.
        num_levels (int): Number of fine levels that are fused.
        conv (str): ``'3d'``, or ``'2d'``: frame-level prototypes (Table 1d).
        generator (dict): :class:`LinearMask` or :class:`DynamicMask`.
        upsample (dict): :class:`DeconvUpsample` (paper) or
            :class:`BilinearUpsample` (published models).
        norm_cfg (dict): Norm of the convolutions.
        proto_act_cfg (dict, optional): Activation of the prototypes. ReLU in
            the paper's models; none as in CondInst's own mask branch.
        conv_bias (bool | str): Whether convolutions before a norm have a
            bias; ``'auto'``: not. The published models have it.
        crop_scale (float): Masks are compared within, and cut by, the
            circumscribed box, scaled about its centre by this.
        min_crop (float): Least width and height of that region, as a share
            of the input's. 0.1 in the published models.
        loss_mask (dict): :class:`ClipSegLoss`.
        loss_dice (dict, optional): A further loss, :class:`ClipDiceLoss`.
        max_positives (int): Positives of a clip that masks are drawn for in
            training; a random subset of more.
        init_cfg (dict): Initialisation of the convolutions.
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
        self.generator = MODELS.build(generator)
        self.upsample = MODELS.build(dict(upsample, channels=feat_channels))
        self.loss_mask = MODELS.build(loss_mask)
        self.loss_dice = MODELS.build(loss_dice) if loss_dice else None
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
        """The step that needs one frame at a time: fusion of levels.

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
        """The step that needs all frames of a clip.

        Args:
            fused (Tensor): (B * T, C', h3, w3).
            num_frames (int): T.

        Returns:
            Tensor: (B, k, T, 2 h3, 2 w3) prototypes.
        """
        x = self.upsample(self.tower(fused, num_frames), num_frames)
        return frames_to_clip(self.reduce(x), num_frames)

    def no_protos(self, fused: Tensor, num_frames: int) -> Tensor:
        """Prototypes of zeros, where nothing is to be drawn."""
        height, width = fused.shape[-2:]
        return fused.new_zeros(
            len(fused) // num_frames, self.generator.num_protos, num_frames, 2 * height, 2 * width
        )

    def forward(self, feats: Sequence[Tensor], num_frames: int) -> Tensor:
        """Both steps on B clips, levels (B * T, C, h, w)."""
        return self.forward_clips(self.forward_frames(feats), num_frames)

    def loss(
        self,
        protos: Tensor,
        outputs: ClipOutputs,
        clips: Sequence[ClipGroundTruth],
        positives: Positives,
    ) -> dict:
        """Compare the masks of positive rows with their objects (eq. 8).

        Args:
            protos (Tensor): (B, k, T, h, w).
            outputs (ClipOutputs): Rows of B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.
            positives (Positives): The rows that stand for objects.

        Returns:
            dict: ``loss_mask`` and, where configured, ``loss_dice``; zero
            with a graph when nothing is positive.
        """
        chosen = positives.take(sample_positives(positives.clip, self.max_positives))
        query = chosen.row
        if outputs.cls_scores.shape[1] < protos.shape[2]:  # central row only
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
        """Boxes in pixels of the padded input -> in pixels of the map.

        Args:
            boxes (Tensor): (N, 4) xyxy.
            protos (Tensor): (..., h, w).
            input_shape (Sequence[int]): Height and width of the input.

        Returns:
            Tensor: (N, 4) xyxy.
        """
        fy = protos.shape[-2] / input_shape[0]
        fx = protos.shape[-1] / input_shape[1]
        return boxes * boxes.new_tensor([fx, fy, fx, fy])

    def crop_boxes(self, boxes: Tensor, size: Sequence[int]) -> Tensor:
        """Regions by which masks are cut.

        Args:
            boxes (Tensor): (N, 4) circumscribed boxes in map pixels.
            size (Sequence[int]): Height and width of the map.

        Returns:
            Tensor: (N, 4) in map pixels.
        """
        boxes = scale_boxes(boxes, self.crop_scale)
        if not self.min_crop:
            return boxes
        least = boxes.new_tensor([size[1], size[0]]) * self.min_crop
        return grow_boxes(boxes, least)

    def predict(
        self, protos: Tensor, params: Tensor, boxes: Tensor, input_shape: Sequence[int]
    ) -> Tensor:
        """Draw and cut the masks of instances.

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
        self, protos: Tensor, params: Tensor, boxes: Tensor, input_shape: Sequence[int]
    ) -> Tensor:
        """Draw instances of an earlier clip, cut by just these boxes.

        Args and returns are those of :meth:`predict`.
        """
        boxes = self.to_map(boxes, protos, input_shape)
        return self._draw(protos, params, boxes, boxes)

    def _draw(self, protos: Tensor, params: Tensor, boxes: Tensor, regions: Tensor) -> Tensor:
        """(N, T, h, w) probabilities; boxes and regions in map pixels."""
        inside = crop_region(regions, protos.shape[-2:])
        parts = [
            self.generator(protos, some, circumscribed).float().sigmoid()
            for some, circumscribed in zip(params.split(CHUNK), boxes.split(CHUNK))
        ]
        return torch.cat(parts) * inside[:, None]
