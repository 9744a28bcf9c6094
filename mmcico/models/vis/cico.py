"""CiCo: clip-in clip-out video instance segmentation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from mmdet.models.mot import BaseMOTModel
from mmdet.structures import TrackDataSample
from mmdet.utils import ConfigType, OptConfigType
from mmengine.model import initialize
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.registry import MODELS, TASK_UTILS
from mmcico.structures.clip_outputs import ClipOutputs
from mmcico.structures.track_state import Draw
from mmcico.utils.weights import split_init_cfg

from ..interfaces import build_part
from .augmentation import ViewedClips, make_views
from .clip_network import ClipInput, ClipNetwork, Detection, LazyNetwork, VideoState, check_clips
from .data_samples import align_clip, choices_of, consecutive_clips, mean_overlap, to_track_sample
from .frame_features import FrameFeatures

#: methods that the model calls, with their arguments
BBOX_HEAD = dict(forward_clips=('feats', 'cls_scores', 'windows'))
MASK_HEAD = dict(predict=('protos', 'params', 'boxes', 'input_shape'))
TRACKER = dict(step=('state', 'clip', 'frame_ids', 'draw'))
NMS = dict(select=('scores', 'num_frames'), mask_nms=('clip', 'input_shape'))


@MODELS.register_module()
class CiCo(BaseMOTModel):
    """Clip-in clip-out one-stage model (CiCo-Yolact, CiCo-CondInst).

    Backbone and neck process single frames; prediction heads and mask head process clips. When
    testing, clips of a video come in order and are linked; nothing but the last clip's instances
    and shared features is kept.

    Args:
        backbone (dict): Any backbone of MMDetection.
        neck (dict): Any neck of MMDetection, or :class:`YolactFPN`.
        bbox_head (dict): :class:`CiCoHead`; it gets its ``num_mask_params`` from the mask head.
        mask_head (dict): :class:`ClipMaskHead`.
        tracker (dict): :class:`ClipTracker` or another type with its method ``step``.
        test_cfg (dict, optional): ``nms``: :class:`ClipNMS`; ``tta``: arguments of
            :func:`make_views`; ``overlap_masks``: ``'later'``, or ``'mean'`` of both clips;
            ``mask_resize``: ``'resize_first'``, or ``'crop_first'`` as in the published models;
            ``class_ties``: of equally frequent classes, a track gets the one with better scores
            (``'scored'``) or, as in the published models, the ``'lowest'``.
        data_preprocessor (dict, optional): ``TrackDataPreprocessor``.
        init_cfg (dict, optional): Of the whole model, e.g. :class:`InflatedPretrained`.

    Raises:
        ValueError: If a part does not have the methods that the model calls.
    """

    def __init__(
        self,
        backbone: ConfigType,
        neck: ConfigType,
        bbox_head: ConfigType,
        mask_head: ConfigType,
        tracker: ConfigType,
        test_cfg: OptConfigType = None,
        data_preprocessor: OptConfigType = None,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        test_cfg = test_cfg or dict()
        self.test_choices = choices_of(test_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.mask_head = build_part(MODELS, mask_head, 'model.mask_head', **MASK_HEAD)
        bbox_head = dict(bbox_head, num_mask_params=self.mask_head.num_params)
        self.bbox_head = build_part(MODELS, bbox_head, 'model.bbox_head', **BBOX_HEAD)
        self.tracker = build_part(MODELS, tracker, 'model.tracker', **TRACKER)
        nms = test_cfg.get('nms', dict(type='mmcico.ClipNMS'))
        self.nms = build_part(TASK_UTILS, nms, 'model.test_cfg.nms', **NMS)
        tta = test_cfg.get('tta')
        self.viewed = None if tta is None else ViewedClips(make_views(**tta))
        self.network: ClipNetwork = LazyNetwork()
        self.states: dict[int | str, VideoState] = dict()

    def init_weights(self) -> None:
        """Initialise submodules, then run the initialisers that build on them.

        MMEngine runs only the type ``'Pretrained'`` after the submodules.
        """
        if self.is_init:
            return super().init_weights()
        whole = self.init_cfg
        first, last = split_init_cfg(whole)
        self.init_cfg: Any = first
        super().init_weights()
        self.init_cfg = whole
        initialize(self, last)

    def train(self, mode: bool = True) -> 'CiCo':
        """Set the mode and forget videos that were not finished; every loop begins with this."""
        self.states.clear()
        return super().train(mode)

    @property
    def num_frames(self) -> int:
        """int: T, frames of a clip."""
        return self.bbox_head.num_frames

    def extract_feat(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Compute the levels (F, C, h, w), fine to coarse, of frames (F, 3, H, W)."""
        return self.neck(self.backbone(frames))

    def _forward(
        self, inputs: Tensor, data_samples: Sequence[TrackDataSample] | None = None
    ) -> tuple[ClipOutputs, Tensor]:
        """Return predictions and prototypes (B, k, T, h, w) for clips (B, T, 3, H, W)."""
        check_clips(inputs, self.num_frames)
        features = self.per_frame(inputs.flatten(0, 1))
        # the mask head runs first, so that the backward pass reaches its large maps last, when
        # those of the other head are freed
        protos = self.mask_head.forward_clips(features.fused, self.num_frames)
        logits = self.bbox_head.class_logits(features.levels, features.logits)
        return self.bbox_head.forward_clips(features.levels, logits), protos

    def per_frame(self, frames: Tensor) -> FrameFeatures:
        """Compute everything that needs one frame at a time, for frames (F, 3, H, W)."""
        levels = self.extract_feat(frames)
        return FrameFeatures(
            tuple(levels),
            tuple(self.bbox_head.forward_frames(levels)),
            self.mask_head.forward_frames(levels[: self.mask_head.num_levels]),
        )

    def loss(
        self, inputs: Tensor, data_samples: Sequence[TrackDataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Compute the losses of a batch of clips (eq. 10).

        Args:
            inputs (Tensor): (B, T, 3, H, W) normalised clips.
            data_samples (list[TrackDataSample]): Their ground truths.

        Returns:
            dict[str, Tensor]: Losses by name, weighted.
        """
        clips = [align_clip(sample, inputs.shape[-2:], inputs.device) for sample in data_samples]
        outputs, protos = self._forward(inputs)
        losses, positives = self.bbox_head.loss(outputs, clips)
        losses.update(self.mask_head.loss(protos, outputs, clips, positives))
        return losses

    @torch.no_grad()
    def predict(
        self, inputs: Tensor, data_samples: Sequence[TrackDataSample], **kwargs
    ) -> list[TrackDataSample]:
        """Detect, segment and link the instances of clips.

        The clips of a video must come in order. The state of a video is kept from its first clip
        to its last; clips of several videos may alternate.

        Args:
            inputs (Tensor): (B, T, 3, H, W) normalised clips.
            data_samples (list[TrackDataSample]): Where the clips come from.

        Returns:
            list[TrackDataSample]: Frames whose results are final, with ``pred_track_instances``;
            ``clip_instances`` holds ids, scores and labels of the whole clip.

        Raises:
            ValueError: If the clips before a clip have not been processed.
        """
        results: list[TrackDataSample] = []
        # after an error, the clips of the batch can be tested again
        states = dict(self.states)
        for group in consecutive_clips(inputs, data_samples):
            samples, clips = zip(*group)
            video, end = samples[0][0].video_id, clips[-1].frame_ids[0] + clips[-1].num_final
            state = VideoState() if clips[0].frame_ids[0] == 0 else states.get(video)
            if state is None:
                raise ValueError(
                    f'video {video!r}: the clip of frames {tuple(clips[0].frame_ids)} came without '
                    'the clips before it; use mmcico.VideoSampler'
                )
            for sample, own, (after, clip) in zip(samples, clips, self.steps(state, clips)):
                results.append(to_track_sample(clip, sample, own.inputs.shape[-2:]))
                states[video] = after
            if end >= samples[0][0].video_length:
                states.pop(video)
        self.states = states
        return results

    def step(
        self, state: VideoState, inputs: Tensor, frame_ids: Sequence[int], num_final: int
    ) -> tuple[VideoState, InstanceData]:
        """Process the next clip of a video, see :meth:`steps` and :class:`ClipInput`."""
        ((state, clip),) = self.steps(state, [ClipInput(inputs, frame_ids, num_final)])
        return state, clip

    @torch.no_grad()
    def steps(
        self, state: VideoState, clips: Sequence[ClipInput]
    ) -> Iterator[tuple[VideoState, InstanceData]]:
        """Process the next clips of a video.

        Frames that earlier clips have shown are not computed again. CPUs compute one clip after the
        other and leave out parts of the maps without candidates; other devices compute all clips
        as one batch. The results are those of the whole network.

        Args:
            state (VideoState): State before the clips; ``VideoState()`` at first.
            clips (Sequence[ClipInput]): Consecutive clips with frames of one size.

        Yields:
            tuple[VideoState, InstanceData]: The state after each clip, and its instances as from
            :meth:`detect`, with ``instances_id``.
        """
        for each in clips:
            check_clips(each.inputs[None], self.num_frames)
        detect = self._detections if self.viewed is None else partial(self.viewed.detections, self)
        for each, (seen, clip, draw) in zip(clips, detect(state, clips), strict=True):
            seen = replace(seen, tracker=state.tracker)
            state, clip = self.link(seen, clip, each.frame_ids, draw)
            yield state, clip

    def _detections(self, state: VideoState, clips: Sequence[ClipInput]) -> Iterator[Detection]:
        """Yield the instances of consecutive clips."""
        shape = tuple(clips[0].inputs.shape[-2:])
        for outputs, protos, known in self.network.run(self, state.known, clips):
            draw = partial(self.mask_head.redraw, protos, input_shape=shape)
            yield replace(state, known=known), self.detect(outputs, protos, shape), draw

    def detect(
        self, outputs: ClipOutputs, protos: Tensor, input_shape: Sequence[int]
    ) -> InstanceData:
        """Return the distinct instances of one clip.

        Args:
            outputs (ClipOutputs): Predictions for the clip.
            protos (Tensor): (k, T, h, w).
            input_shape (Sequence[int]): Height and width of the input.

        Returns:
            InstanceData: N instances, best score first: ``bboxes`` (N, T, 4) and ``circumscribed``
            (N, 4) in input pixels, ``scores``, ``labels``, ``masks`` (N, T, h, w) probabilities,
            ``embeds`` (N, E), ``mask_params`` (N, k'); metainfo ``input_shape``.
        """
        scores = self.bbox_head.class_scores(outputs.cls_scores)
        query, prior = self.nms.select(scores, self.num_frames)
        clip = self.bbox_head.select(outputs, scores, query, prior)
        clip = self.nms.box_nms(clip, input_shape)
        clip.masks = self.mask_head.predict(
            protos, clip.mask_params, clip.circumscribed, input_shape
        )
        clip = self.nms.mask_nms(clip, input_shape)
        clip.set_metainfo(dict(input_shape=tuple(input_shape)))
        return clip

    def link(
        self, state: VideoState, clip: InstanceData, frame_ids: Sequence[int], draw: Draw
    ) -> tuple[VideoState, InstanceData]:
        """Give the instances of the video's next clip their ids.

        Args:
            state (VideoState): State before the clip.
            clip (InstanceData): As from :meth:`detect`.
            frame_ids (Sequence[int]): The T frames of the clip.
            draw (Callable): Draws earlier instances on this clip's prototypes, for trackers that
                need it.

        Returns:
            tuple[VideoState, InstanceData]: The new state, and the clip with ``instances_id`` and
            with the masks that hold for shared frames.
        """
        before = state.tracker
        tracker, clip = self.tracker.step(before, clip, frame_ids, draw)
        if self.test_choices['overlap_masks'] == 'mean':
            clip.masks = mean_overlap(before, clip, frame_ids)
        clip.set_metainfo(self.test_choices)
        return replace(state, tracker=tracker), clip
