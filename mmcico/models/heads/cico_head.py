"""Clip-level prediction heads (CPH)."""
from typing import List, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule, bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.axes import frames_to_clip
from mmcico.structures.clip_boxes import enclose
from ..layers.clip_tower import ClipTower
from .clip_losses import HeadLosses
from .clip_outputs import ClipGroundTruth, ClipOutputs, Positives

#: the paper's towers (Table 1b): class 2D, box and track 3D, four layers
PAPER_TOWERS = dict(cls='2d', box='3d', track='3d', num_convs=4, channels=256)


@MODELS.register_module()
class CiCoHead(BaseModule):
    """Clip-level prediction heads (paper section 3.3, Fig. 2c, Table 1b).

    Three branches: class, track, and box with mask parameters (and
    centerness), each a tower of convolutions and then 3x3 layers on every
    frame, shared by all levels. A 2D tower sees frames, a 3D one clips. Each
    query frame has its own row of outputs for every anchor; a row holds the
    boxes of all T frames of the clip.

    What is computed on frames alone (:meth:`forward_frames`) and what on
    clips (:meth:`forward_clips`) are separate steps, so that overlapping
    clips can share the first.

    Args:
        num_classes (int): K, background not counted.
        in_channels (int): Channels of the neck's levels.
        num_mask_params (int): k'; :class:`CiCo` takes it from the mask head.
        num_frames (int): T.
        towers (dict): Kind of the towers ``cls``, ``box`` and ``track``,
            ``'2d'`` or ``'3d'``, ``num_convs``, ``channels``, ``norm_cfg``;
            what is left out is as in the paper.
        embed_channels (int): E.
        anchor_generator (dict): Default: one scale of 3 cells, ratios
            width : height 1, 1/2, 2 (MMDetection's are height : width).
        bbox_coder (dict): Deltas of a box against an anchor.
        assigner (dict): :class:`CircumscribedAssigner`.
        losses (dict): Arguments of :class:`HeadLosses`: ``loss_cls``,
            ``loss_bbox``, ``loss_track``, ``loss_iou``, ``loss_centerness``.
        query_frames (str): ``'all'``, or ``'central'``: only the central
            frame of a clip emits rows.
        init_cfg (dict): Initialisation of the convolutions.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        num_mask_params: int,
        num_frames: int = 3,
        towers: ConfigType = dict(),
        embed_channels: int = 64,
        anchor_generator: ConfigType = dict(
            type='AnchorGenerator',
            scales=[3],
            ratios=[1.0, 2.0, 0.5],
            strides=[8, 16, 32, 64, 128],
            center_offset=0.5),
        bbox_coder: ConfigType = dict(
            type='DeltaXYWHBBoxCoder', target_stds=(.1, .1, .2, .2)),
        assigner: ConfigType = dict(type='mmcico.CircumscribedAssigner'),
        losses: OptConfigType = None,
        query_frames: str = 'all',
        init_cfg: ConfigType = dict(
            type='Xavier', layer=['Conv2d', 'Conv3d'], distribution='uniform')
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if query_frames not in ('all', 'central'):
            raise ValueError("query_frames is 'all' or 'central', got "
                             f'{query_frames!r}')
        if num_frames < 1:
            raise ValueError(
                f'num_frames must be at least 1, got {num_frames}')
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.query_frames = (
            range(num_frames) if query_frames == 'all' else range(
                num_frames // 2, num_frames // 2 + 1))
        self.anchor_generator = TASK_UTILS.build(anchor_generator)
        self.losses = HeadLosses(
            num_classes=num_classes,
            assigner=assigner,
            bbox_coder=bbox_coder,
            **(losses or dict()))
        self._init_layers(in_channels, num_mask_params, embed_channels,
                          dict(PAPER_TOWERS, **towers))

    def _init_layers(self, in_channels: int, num_mask_params: int,
                     embed_channels: int, towers: dict) -> None:
        """Towers, then one 3x3 layer for each kind of output."""
        channels = towers['channels']

        def tower(kind: str) -> ClipTower:
            return ClipTower(in_channels, channels, towers['num_convs'], kind,
                             towers.get('norm_cfg'))

        anchors = self.anchor_generator.num_base_priors[0]

        def layer(values: int) -> nn.Conv2d:
            return nn.Conv2d(channels, anchors * values, 3, padding=1)

        self.cls_tower = tower(towers['cls'])
        self.box_tower = tower(towers['box'])
        self.track_tower = tower(towers['track'])
        self.cls_layer = layer(self.losses.cls_channels)
        self.bbox_layer = layer(4 * self.num_frames)
        self.mask_layer = layer(num_mask_params)
        self.track_layer = layer(embed_channels)
        self.centerness_layer = (
            layer(1) if self.losses.with_centerness else None)

    def init_weights(self) -> None:
        """Start with rare objects where classes are independent sigmoids."""
        super().init_weights()
        if self.losses.use_sigmoid:
            nn.init.constant_(self.cls_layer.bias, bias_init_with_prob(0.01))

    def forward_frames(self, feats: Sequence[Tensor]) -> List[Tensor]:
        """The step that needs one frame at a time.

        Args:
            feats (Sequence[Tensor]): Levels (F, C, h, w) of any F frames.

        Returns:
            list[Tensor]: Class logits (F, A * K, h, w) of each level; empty
            if the class tower is 3D.
        """
        if self.cls_tower.kind == '3d':
            return []
        return [self.cls_layer(self.cls_tower(x, 1)) for x in feats]

    def forward_clips(self, feats: Sequence[Tensor],
                      frame_scores: Sequence[Tensor]) -> ClipOutputs:
        """The step that needs all frames of a clip.

        Args:
            feats (Sequence[Tensor]): Levels (B * T, C, h, w).
            frame_scores (Sequence[Tensor]): What :meth:`forward_frames`
                gives for them.

        Returns:
            ClipOutputs: Rows of B clips.
        """
        scores = frame_scores or [
            self.cls_layer(self.cls_tower(x, self.num_frames)) for x in feats
        ]
        box_feats = [
            self._queries(self.box_tower(x, self.num_frames)) for x in feats
        ]
        track_feats = [
            self._queries(self.track_tower(x, self.num_frames)) for x in feats
        ]
        centerness = None
        if self.centerness_layer is not None:
            centerness = self._rows(map(self.centerness_layer,
                                        box_feats)).squeeze(-1)
        deltas = self._rows(map(self.bbox_layer, box_feats))
        params = self._rows(map(self.mask_layer, box_feats))
        embeds = self._rows(map(self.track_layer, track_feats))
        return ClipOutputs(
            cls_scores=self._rows(map(self._queries, scores)),
            bbox_deltas=deltas.unflatten(-1, (self.num_frames, 4)),
            mask_params=params.tanh(),
            embeds=F.normalize(embeds.float(), dim=-1),
            priors=self.priors(feats),
            centerness=centerness)

    def forward(self, feats: Sequence[Tensor]) -> ClipOutputs:
        """Both steps on B clips, levels (B * T, C, h, w)."""
        return self.forward_clips(feats, self.forward_frames(feats))

    def priors(self, feats: Sequence[Tensor]) -> Tensor:
        """(P, 4) anchors of all levels, xyxy in pixels of the input.

        Raises:
            ValueError: If the neck gives another number of levels than the
                anchor generator has strides.
        """
        strides = self.anchor_generator.strides
        if len(feats) != len(strides):
            raise ValueError(
                f'the neck gives {len(feats)} levels, anchor_generator has '
                f'strides for {len(strides)}: {strides}; set num_outs of the '
                'neck or the strides')
        sizes = [x.shape[-2:] for x in feats]
        return torch.cat(
            self.anchor_generator.grid_priors(
                sizes, dtype=torch.float32, device=feats[0].device))

    def _queries(self, x: Tensor) -> Tensor:
        """(B * T, C, h, w) -> (B * Q, C, h, w), frames that emit rows."""
        if len(self.query_frames) == self.num_frames:
            return x
        frame = self.query_frames[0]
        return frames_to_clip(x, self.num_frames)[:, :, frame]

    def _rows(self, levels: Sequence[Tensor]) -> Tensor:
        """Levels (B * Q, A * V, h, w) -> (B, Q, P, V)."""
        anchors = self.anchor_generator.num_base_priors[0]
        rows = [
            x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1] // anchors)
            for x in levels
        ]
        return torch.cat(
            rows, dim=1).unflatten(0, (-1, len(self.query_frames)))

    def loss(self, outputs: ClipOutputs,
             clips: Sequence[ClipGroundTruth]) -> Tuple[dict, Positives]:
        """Losses of classes, boxes and embeddings.

        Args:
            outputs (ClipOutputs): Rows of B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.

        Returns:
            tuple[dict, Positives]: Losses by name, and the positive rows for
            the mask loss.
        """
        return self.losses(outputs, clips, self.query_frames)

    def class_scores(self, outputs: ClipOutputs) -> Tensor:
        """(Q, P, K) probabilities of one clip, background left out."""
        if self.losses.use_sigmoid:
            return outputs.cls_scores.float().sigmoid()
        return outputs.cls_scores.float().softmax(dim=-1)[..., :-1]

    def take_rows(self, outputs: ClipOutputs, scores: Tensor, query: Tensor,
                  prior: Tensor) -> InstanceData:
        """Chosen rows of one clip with decoded boxes.

        Args:
            outputs (ClipOutputs): Rows of the clip.
            scores (Tensor): (Q, P, K) class probabilities.
            query (Tensor): (N,) query frame of each row.
            prior (Tensor): (N,) anchor of each row.

        Returns:
            InstanceData: ``bboxes`` (N, T, 4), ``enclosing`` (N, 4),
            ``class_scores`` (N, K), ``rank_weight`` (N,) centerness or
            ones, ``mask_params`` (N, k'), ``embeds`` (N, E).
        """
        bboxes = self.losses.decode(outputs.priors[prior],
                                    outputs.bbox_deltas[query, prior].float())
        weight = scores.new_ones(len(prior))
        if outputs.centerness is not None:
            weight = outputs.centerness[query, prior].float().sigmoid()
        return InstanceData(
            bboxes=bboxes,
            enclosing=enclose(bboxes),
            class_scores=scores[query, prior],
            rank_weight=weight,
            mask_params=outputs.mask_params[query, prior],
            embeds=outputs.embeds[query, prior])
