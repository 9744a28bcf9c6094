"""Clip-level prediction heads (CPH)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule, bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.axes import frames_to_clip
from mmcico.structures.clip_boxes import circumscribed_boxes
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs, Positives, to_rows

from ..layers.clip_tower import ClipTower
from .clip_losses import HeadLosses
from .windows import Window, level_windows, paste, whole, widen

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
        towers (dict): Convolution of the towers ``cls``, ``box`` and ``track``,
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
            center_offset=0.5,
        ),
        bbox_coder: ConfigType = dict(type='DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2)),
        assigner: ConfigType = dict(type='mmcico.CircumscribedAssigner'),
        losses: OptConfigType = None,
        query_frames: str = 'all',
        init_cfg: ConfigType = dict(
            type='Xavier', layer=['Conv2d', 'Conv3d'], distribution='uniform'
        ),
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if query_frames not in ('all', 'central'):
            raise ValueError(f"query_frames is 'all' or 'central', got {query_frames!r}")
        if num_frames < 1:
            raise ValueError(f'num_frames must be at least 1, got {num_frames}')
        self.num_classes = num_classes
        self.num_frames = num_frames
        self.query_frames = (
            range(num_frames)
            if query_frames == 'all'
            else range(num_frames // 2, num_frames // 2 + 1)
        )
        self.anchor_generator = TASK_UTILS.build(anchor_generator)
        self.losses = HeadLosses(
            num_classes=num_classes, assigner=assigner, bbox_coder=bbox_coder, **(losses or dict())
        )
        self._init_layers(
            in_channels, num_mask_params, embed_channels, dict(PAPER_TOWERS, **towers)
        )

    def _init_layers(
        self, in_channels: int, num_mask_params: int, embed_channels: int, towers: dict
    ) -> None:
        """Towers, then one 3x3 layer for each kind of output."""
        channels = towers['channels']
        self.reach = towers['num_convs'] + 1
        self.local = towers.get('norm_cfg') is None

        def tower(conv: str) -> ClipTower:
            return ClipTower(
                in_channels, channels, towers['num_convs'], conv, towers.get('norm_cfg')
            )

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
        self.centerness_layer = layer(1) if self.losses.with_centerness else None

    def init_weights(self) -> None:
        """Start with rare objects where classes are independent sigmoids."""
        super().init_weights()
        if self.losses.use_sigmoid:
            nn.init.constant_(self.cls_layer.bias, bias_init_with_prob(0.01))

    def forward_frames(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """The step that needs one frame at a time, on levels (F, C, h, w).

        Returns:
            list[Tensor]: Class logits (F, A * K, h, w); none if 3D.
        """
        if self.cls_tower.conv == '3d':
            return []
        return [self.cls_layer(self.cls_tower(x, 1)) for x in feats]

    def class_rows(self, feats: Sequence[Tensor], frame_scores: Sequence[Tensor]) -> Tensor:
        """Class logits of all rows.

        Args:
            feats (Sequence[Tensor]): Levels (B * T, C, h, w).
            frame_scores (Sequence[Tensor]): What :meth:`forward_frames`
                gives for them.

        Returns:
            Tensor: (B, Q, P, K) logits.
        """
        scores = frame_scores or [self.cls_layer(self.cls_tower(x, self.num_frames)) for x in feats]
        return self._rows(map(self._queries, scores))

    def windows(self, chosen: Tensor, feats: Sequence[Tensor]) -> list[Window]:
        """Parts of levels (B * T, C, h, w) that chosen rows (B, Q, P) need.

        Towers with a norm, which may look at all of a map, need all of it.
        """
        sizes = [x.shape[-2:] for x in feats]
        found = level_windows(chosen, sizes, self.anchor_generator.num_base_priors[0])
        return found if self.local else whole(found, sizes)

    def forward_clips(
        self, feats: Sequence[Tensor], cls_scores: Tensor, windows: Sequence[Window] | None = None
    ) -> ClipOutputs:
        """The step that needs all frames of a clip.

        Args:
            feats (Sequence[Tensor]): Levels (B * T, C, h, w).
            cls_scores (Tensor): (B, Q, P, K), see :meth:`class_rows`.
            windows (Sequence[Window], optional): Where values are wanted on
                each level; rows outside are zeros. All when left out.

        Returns:
            ClipOutputs: Rows of B clips.
        """
        windows = windows or [(0, x.shape[-2], 0, x.shape[-1]) for x in feats]
        maps = [self._maps(x, window) for x, window in zip(feats, windows)]
        deltas, params, embeds, *rest = map(self._rows, zip(*maps))
        return ClipOutputs(
            cls_scores=cls_scores,
            bbox_deltas=deltas.unflatten(-1, (self.num_frames, 4)),
            mask_params=params.tanh(),
            embeds=F.normalize(embeds.float(), dim=-1),
            priors=self.priors(feats),
            centerness=rest[0].squeeze(-1) if rest else None,
        )

    def _maps(self, x: Tensor, window: Window) -> list[Tensor]:
        """Outputs (B * Q, A * V, h, w) of one level, right in a window."""
        layers = [self.bbox_layer, self.mask_layer, self.track_layer]
        if self.centerness_layer is not None:
            layers.append(self.centerness_layer)
        size = x.shape[-2:]
        if window[0] == window[1]:
            number = len(x) // self.num_frames * len(self.query_frames)
            return [x.new_zeros(number, layer.out_channels, *size) for layer in layers]
        # every convolution looks one cell further
        outer = widen(window, self.reach, size)
        part = x[..., outer[0] : outer[1], outer[2] : outer[3]]
        box = self._queries(self.box_tower(part, self.num_frames))
        track = self._queries(self.track_tower(part, self.num_frames))
        feats = [box, box, track, box]
        return [paste(layer(each), window, outer, size) for layer, each in zip(layers, feats)]

    def forward(self, feats: Sequence[Tensor]) -> ClipOutputs:
        """Both steps on B clips, levels (B * T, C, h, w)."""
        scores = self.class_rows(feats, self.forward_frames(feats))
        return self.forward_clips(feats, scores)

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
                'neck or the strides'
            )
        sizes = [x.shape[-2:] for x in feats]
        return torch.cat(
            self.anchor_generator.grid_priors(sizes, dtype=torch.float32, device=feats[0].device)
        )

    def _queries(self, x: Tensor) -> Tensor:
        """(B * T, C, h, w) -> (B * Q, C, h, w), frames that emit rows."""
        if len(self.query_frames) == self.num_frames:
            return x
        frame = self.query_frames[0]
        return frames_to_clip(x, self.num_frames)[:, :, frame]

    def _rows(self, levels: Sequence[Tensor]) -> Tensor:
        """Levels (B * Q, A * V, h, w) -> (B, Q, P, V)."""
        anchors = self.anchor_generator.num_base_priors[0]
        return to_rows(levels, anchors, len(self.query_frames))

    def loss(
        self, outputs: ClipOutputs, clips: Sequence[ClipGroundTruth]
    ) -> tuple[dict, Positives]:
        """Losses of classes, boxes and embeddings.

        Args:
            outputs (ClipOutputs): Rows of B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.

        Returns:
            tuple[dict, Positives]: Losses by name, and the positive rows for
            the mask loss.
        """
        return self.losses(outputs, clips, self.query_frames)

    def class_scores(self, logits: Tensor) -> Tensor:
        """(..., K) probabilities of class logits, background left out."""
        if self.losses.use_sigmoid:
            return logits.float().sigmoid()
        return logits.float().softmax(dim=-1)[..., :-1]

    def take_rows(
        self, outputs: ClipOutputs, scores: Tensor, query: Tensor, prior: Tensor
    ) -> InstanceData:
        """Chosen rows of one clip with decoded boxes.

        Args:
            outputs (ClipOutputs): Rows of the clip.
            scores (Tensor): (Q, P, K) class probabilities.
            query (Tensor): (N,) query frame of each row.
            prior (Tensor): (N,) anchor of each row.

        Returns:
            InstanceData: ``bboxes`` (N, T, 4), ``circumscribed`` (N, 4),
            ``class_scores`` (N, K), ``rank_weight`` (N,) centerness or
            ones, ``mask_params`` (N, k'), ``embeds`` (N, E).
        """
        bboxes = self.losses.decode(
            outputs.priors[prior], outputs.bbox_deltas[query, prior].float()
        )
        weight = scores.new_ones(len(prior))
        if outputs.centerness is not None:
            weight = outputs.centerness[query, prior].float().sigmoid()
        return InstanceData(
            bboxes=bboxes,
            circumscribed=circumscribed_boxes(bboxes),
            class_scores=scores[query, prior],
            rank_weight=weight,
            mask_params=outputs.mask_params[query, prior],
            embeds=outputs.embeds[query, prior],
        )
