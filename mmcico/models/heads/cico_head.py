"""Clip-level prediction heads (CPH)."""

from collections.abc import Sequence
from itertools import repeat

import torch
import torch.nn.functional as F
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import bias_init_with_prob
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.clip_boxes import circumscribed_boxes
from mmcico.structures.clip_outputs import ClipGroundTruth, ClipOutputs, Positives
from mmcico.structures.devices import numbers_like

from ..interfaces import build_part
from ..layers.clip_tower import ClipTower
from ..layers.windows import LevelWindows
from ..losses.head_losses import ComparedTensors, HeadLosses
from ..losses.over_processes import shared_number
from .head_layers import HeadLayers, output_kinds

#: the paper's towers (Table 1b): class 2D, box and track 3D, four layers
PAPER_TOWERS = dict(cls='2d', box='3d', track='3d', num_convs=4, channels=256)
#: methods that the head calls, with their arguments
ANCHORS = dict(grid_priors=('featmap_sizes', 'dtype', 'device'))
CODER = dict(encode=('bboxes', 'gt_bboxes'), decode=('bboxes', 'pred_bboxes'))
ASSIGNER = dict(assign_frames=('priors', 'instances', 'crowds', 'query_frames'))


@MODELS.register_module()
class CiCoHead(HeadLayers):
    """Clip-level prediction heads (paper section 3.3, Fig. 2c, Table 1b).

    Three branches, for classes, for tracks, and for boxes with mask parameters (and centerness),
    are each a tower of convolutions followed by 3x3 layers on every frame, shared by all levels.
    A 2D tower sees frames, a 3D one clips. Each query frame makes one prediction for every anchor,
    which holds the boxes of all T frames of the clip.

    Steps that need single frames (:meth:`forward_frames`) and steps that need clips
    (:meth:`forward_clips`) are separate, so that overlapping clips can share the first.

    Args:
        num_classes (int): K, background not counted.
        in_channels (int): Channels of the neck's levels.
        num_mask_params (int): k'; :class:`CiCo` takes it from the mask head.
        num_frames (int): T.
        towers (dict): Convolutions of the towers ``cls``, ``box`` and ``track``, each ``'2d'`` or
            ``'3d'``; ``num_convs``, ``channels``, ``norm_cfg``, ``with_cp``. Default: the paper's.
        embed_channels (int): E.
        anchor_generator (dict): Default: one scale of 3 cells, ratios width : height 1, 1/2, 2
            (MMDetection's are height : width).
        bbox_coder (dict): Deltas of a box against an anchor.
        assigner (dict): :class:`CircumscribedAssigner` or :class:`CentreAssigner`.
        losses (dict, optional): Arguments of :class:`HeadLosses`. None builds a head that can
            predict but not be trained.
        query_frames (str): ``'all'``, or ``'central'``: only the central frame makes predictions.
        use_sigmoid (bool, optional): Whether classes are independent; default: as in ``loss_cls``.
        with_centerness (bool, optional): Default: if there is a ``loss_centerness``.
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
        losses: OptConfigType = dict(),
        query_frames: str = 'all',
        use_sigmoid: bool | None = None,
        with_centerness: bool | None = None,
        init_cfg: ConfigType = dict(
            type='Xavier', layer=['Conv2d', 'Conv3d'], distribution='uniform'
        ),
    ) -> None:
        use_sigmoid, with_centerness = output_kinds(losses, use_sigmoid, with_centerness)
        super().__init__(init_cfg=init_cfg)
        if query_frames not in ('all', 'central'):
            raise ValueError(f"query_frames is 'all' or 'central', got {query_frames!r}")
        if num_frames < 1:
            raise ValueError(f'num_frames must be at least 1, got {num_frames}')
        self.num_frames = num_frames
        self.query_frames = range(num_frames)
        if query_frames == 'central':
            self.query_frames = range(num_frames // 2, num_frames // 2 + 1)
        self.num_classes = num_classes
        self.cls_channels = num_classes + (not use_sigmoid)
        self.use_sigmoid = use_sigmoid
        self.with_centerness = with_centerness
        anchors = build_part(TASK_UTILS, anchor_generator, 'bbox_head.anchor_generator', **ANCHORS)
        self.anchor_generator = anchors
        self.num_anchors = anchors.num_base_priors[0]
        towers = dict(PAPER_TOWERS, **towers)
        channels, norm_cfg = towers['channels'], towers.get('norm_cfg')
        self.local = norm_cfg is None

        def tower(conv: str) -> ClipTower:
            number, with_cp = towers['num_convs'], towers.get('with_cp', False)
            return ClipTower(in_channels, channels, number, conv, norm_cfg, with_cp=with_cp)

        def layer(values: int) -> nn.Conv2d:
            return nn.Conv2d(channels, self.num_anchors * values, 3, padding=1)

        self.cls_tower = tower(towers['cls'])
        self.box_tower = tower(towers['box'])
        self.track_tower = tower(towers['track'])
        self.cls_layer = layer(self.cls_channels)
        self.bbox_layer = layer(4 * num_frames)
        self.mask_layer = layer(num_mask_params)
        self.track_layer = layer(embed_channels)
        self.centerness_layer = layer(1) if with_centerness else None
        self.bbox_coder = build_part(TASK_UTILS, bbox_coder, 'bbox_head.bbox_coder', **CODER)
        self.assigner = build_part(TASK_UTILS, assigner, 'bbox_head.assigner', **ASSIGNER)
        self.losses = None if losses is None else HeadLosses(**losses)

    @staticmethod
    def without_losses(cfg: ConfigType) -> dict:
        """Return the config of a head that predicts the same but holds no losses."""
        names = ('use_sigmoid', 'with_centerness')
        kinds = output_kinds(cfg.get('losses'), *map(cfg.get, names))
        return dict(cfg, losses=None, **dict(zip(names, kinds)))

    def init_weights(self) -> None:
        """Initialise; independent classes begin with the prior that objects are rare."""
        super().init_weights()
        if self.use_sigmoid:
            nn.init.constant_(self.cls_layer.bias, bias_init_with_prob(0.01))  # type: ignore

    def forward_clips(
        self, feats: Sequence[Tensor], cls_scores: Tensor, windows: LevelWindows = None
    ) -> ClipOutputs:
        """Run the step that needs all frames of a clip.

        Args:
            feats (Sequence[Tensor]): Levels (B * T, C, h, w).
            cls_scores (Tensor): (B, Q, P, K), see :meth:`class_logits`.
            windows (Sequence[Sequence[Window]], optional): Parts of each level that are needed;
                outputs elsewhere are zeros.

        Returns:
            ClipOutputs: Predictions for B clips.
        """
        maps = [self.output_maps(x, each) for x, each in zip(feats, windows or repeat(None))]
        deltas, params, embeds, *rest = map(self.flatten_levels, zip(*maps))
        return ClipOutputs(
            cls_scores=cls_scores,
            bbox_deltas=deltas.unflatten(-1, (self.num_frames, 4)),
            mask_params=params.tanh(),
            embeds=F.normalize(embeds.float(), dim=-1),
            priors=self.priors(feats),
            centerness=rest[0].squeeze(-1) if rest else None,
        )

    def forward(self, feats: Sequence[Tensor]) -> ClipOutputs:
        """Run both steps on B clips, levels (B * T, C, h, w)."""
        scores = self.class_logits(feats, self.forward_frames(feats))
        return self.forward_clips(feats, scores)

    def loss(
        self, outputs: ClipOutputs, clips: Sequence[ClipGroundTruth]
    ) -> tuple[dict[str, Tensor], Positives]:
        """Compute the losses of classes, boxes and embeddings.

        Args:
            outputs (ClipOutputs): Predictions for B clips.
            clips (Sequence[ClipGroundTruth]): B ground truths.

        Returns:
            tuple[dict, Positives]: Losses by name, and the positives for the mask loss.

        Raises:
            ValueError: If the head was built without losses.
        """
        if self.losses is None:
            raise ValueError('bbox_head.losses is None, but training needs losses')
        labels, gt_index = self.assign(outputs.priors, clips)
        clip, row, prior = (gt_index >= 0).nonzero(as_tuple=True)
        positives = Positives(clip, row, prior, gt_index[clip, row, prior])
        return self.losses(self.compared(outputs, clips, labels, positives)), positives

    @torch.no_grad()
    def assign(self, priors: Tensor, clips: Sequence[ClipGroundTruth]) -> tuple[Tensor, Tensor]:
        """Match the anchors of every query frame with objects.

        Args:
            priors (Tensor): (P, 4) xyxy.
            clips (Sequence[ClipGroundTruth]): B ground truths.

        Returns:
            tuple[Tensor, Tensor]: (B, Q, P) labels with K for background and -1 for ignored, and
            (B, Q, P) objects counted through all clips, -1 for predictions that are not positive.
        """
        labels, gt_index, before = [], [], 0
        for clip in clips:
            objects = clip.instances
            found = self.assigner.assign_frames(priors, objects, clip.crowds, self.query_frames)
            # labels of the values 0 (background), g + 1 and -1 (ignored)
            names = F.pad(F.pad(objects.labels, (1, 0), value=self.num_classes), (0, 1), value=-1)
            labels.append(names[found])
            gt_index.append(torch.where(found > 0, found - 1 + before, -1))
            before += len(objects)
        return torch.stack(labels), torch.stack(gt_index)

    def compared(
        self,
        outputs: ClipOutputs,
        clips: Sequence[ClipGroundTruth],
        labels: Tensor,
        positives: Positives,
    ) -> ComparedTensors:
        """Gather what the losses compare; see :meth:`assign` for the labels."""
        clip, row, prior, gt = positives
        ids = torch.cat([c.instances.instances_id for c in clips])[gt]
        deltas = outputs.bbox_deltas[clip, row, prior].float()
        priors = outputs.priors[prior]
        boxes = torch.cat([c.instances.bboxes for c in clips])[gt]
        size = outputs.cls_scores.shape
        centerness = outputs.centerness
        return ComparedTensors(
            logits=outputs.cls_scores.float().flatten(0, 2),
            labels=labels.flatten(),
            positive=(clip * size[1] + row) * size[2] + prior,
            deltas=deltas,
            target_deltas=self.encode(priors, boxes),
            boxes=self.decode(priors, deltas),
            target_boxes=boxes,
            embeds=outputs.embeds[clip, row, prior],
            ids=ids,
            videos=numbers_like(ids, [shared_number(c.video_id) for c in clips])[clip],
            centerness=None if centerness is None else centerness[clip, row, prior].float(),
        )

    def encode(self, priors: Tensor, boxes: Tensor) -> Tensor:
        """Return the deltas (N, T, 4) of boxes (N, T, 4) against anchors (N, 4)."""
        priors = priors[:, None].expand_as(boxes)
        return self.bbox_coder.encode(priors.flatten(0, 1), boxes.flatten(0, 1)).view(boxes.shape)

    def decode(self, priors: Tensor, deltas: Tensor) -> Tensor:
        """Return the boxes (N, T, 4) of deltas (N, T, 4) against anchors (N, 4)."""
        priors = priors[:, None].expand_as(deltas)
        return self.bbox_coder.decode(priors.flatten(0, 1), deltas.flatten(0, 1)).view(deltas.shape)

    def class_scores(self, logits: Tensor) -> Tensor:
        """Return (..., K) probabilities of class logits, without the background."""
        if self.use_sigmoid:
            return logits.float().sigmoid()
        return logits.float().softmax(dim=-1)[..., :-1]

    def select(
        self, outputs: ClipOutputs, scores: Tensor, query: Tensor, prior: Tensor
    ) -> InstanceData:
        """Return chosen predictions for one clip with decoded boxes.

        Args:
            outputs (ClipOutputs): Predictions for the clip.
            scores (Tensor): (Q, P, K) class probabilities.
            query (Tensor): (N,) query frame of each chosen prediction.
            prior (Tensor): (N,) anchor of each chosen prediction.

        Returns:
            InstanceData: ``bboxes`` (N, T, 4), ``circumscribed`` (N, 4), ``class_scores`` (N, K),
            ``rank_weight`` (N,) centerness or ones, ``mask_params`` (N, k'), ``embeds`` (N, E).
        """
        bboxes = self.decode(outputs.priors[prior], outputs.bbox_deltas[query, prior].float())
        weight = outputs.centerness
        return InstanceData(
            bboxes=bboxes,
            circumscribed=circumscribed_boxes(bboxes),
            class_scores=scores[query, prior],
            rank_weight=scores.new_ones(len(prior))
            if weight is None
            else weight[query, prior].float().sigmoid(),
            mask_params=outputs.mask_params[query, prior],
            embeds=outputs.embeds[query, prior],
        )
