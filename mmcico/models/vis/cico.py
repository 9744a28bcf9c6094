"""CiCo: clip-in clip-out video instance segmentation."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

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

from ..task_modules.clip_ground_truth import align_clip
from .clip_network import ClipNetwork, LazyNetwork
from .frame_features import FrameFeatures, check_clips
from .init_order import split_init_cfg
from .results import to_track_sample
from .video_state import VideoState, mean_overlap

#: which masks are written where two clips overlap
OVERLAP_MASKS = ('later', 'mean')


@MODELS.register_module()
class CiCo(BaseMOTModel):
    """Clip-in clip-out one-stage model (CiCo-Yolact, CiCo-CondInst).

    Frames go through backbone and neck one by one; prediction heads and mask
    head see clips. At test time, clips of a video come in order and are
    linked; nothing but the last clip's instances is kept.

    Args:
        backbone (dict): Any backbone of MMDetection.
        neck (dict): Any neck of MMDetection, or :class:`YolactFPN`.
        bbox_head (dict): :class:`CiCoHead`; it gets its
            ``num_mask_params`` from the mask head.
        mask_head (dict): :class:`ClipMaskHead`.
        tracker (dict): :class:`ClipTracker`.
        test_cfg (dict, optional): ``nms``: :class:`ClipNMS`;
            ``overlap_masks``: ``'later'``, or ``'mean'`` of both clips.
        data_preprocessor (dict, optional): ``TrackDataPreprocessor``.
        init_cfg (dict, optional): Initialisation of the whole model, e.g.
            :class:`InflatedPretrained` for a COCO detector.
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
        self.overlap_masks = test_cfg.get('overlap_masks', 'later')
        if self.overlap_masks not in OVERLAP_MASKS:
            raise ValueError(
                f'test_cfg.overlap_masks={self.overlap_masks!r} is none of {OVERLAP_MASKS}'
            )
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.mask_head = MODELS.build(mask_head)
        self.bbox_head = MODELS.build(dict(bbox_head, num_mask_params=self.mask_head.num_params))
        self.tracker = MODELS.build(tracker)
        self.nms = TASK_UTILS.build(test_cfg.get('nms', dict(type='mmcico.ClipNMS')))
        self.network: ClipNetwork = LazyNetwork()
        self.states: dict[int | str, VideoState] = dict()

    def init_weights(self) -> None:
        """Parts first; then what says that it comes after them.

        MMEngine knows this order for the type ``'Pretrained'`` only.
        """
        if self.is_init:
            return super().init_weights()
        whole = self.init_cfg
        self.init_cfg, last = split_init_cfg(whole)
        super().init_weights()
        self.init_cfg = whole
        initialize(self, last)

    def train(self, mode: bool = True) -> 'CiCo':
        """Forget videos that were not finished, as every loop begins so."""
        self.states.clear()
        return super().train(mode)

    @property
    def num_frames(self) -> int:
        """int: T, frames of a clip."""
        return self.bbox_head.num_frames

    def extract_feat(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Features of single frames.

        Args:
            frames (Tensor): (F, 3, H, W) normalised frames of any clips.

        Returns:
            tuple[Tensor]: Levels (F, C, h, w), fine to coarse.
        """
        return self.neck(self.backbone(frames))

    def _forward(
        self, inputs: Tensor, data_samples: Sequence[TrackDataSample] = None
    ) -> tuple[ClipOutputs, Tensor]:
        """The network alone.

        Args:
            inputs (Tensor): (B, T, 3, H, W) normalised clips.
            data_samples (list[TrackDataSample], optional): Not used.

        Returns:
            tuple[ClipOutputs, Tensor]: Rows of B clips and their prototypes
            (B, k, T, h, w).
        """
        check_clips(inputs, self.num_frames)
        features = self.per_frame(inputs.flatten(0, 1))
        scores = self.bbox_head.class_rows(features.levels, features.scores)
        return (
            self.bbox_head.forward_clips(features.levels, scores),
            self.mask_head.forward_clips(features.fused, self.num_frames),
        )

    def per_frame(self, frames: Tensor) -> FrameFeatures:
        """All that can be said of frames one by one.

        Args:
            frames (Tensor): (F, 3, H, W) normalised frames of any clips.

        Returns:
            FrameFeatures: Of F frames.
        """
        levels = self.extract_feat(frames)
        return FrameFeatures(
            tuple(levels),
            tuple(self.bbox_head.forward_frames(levels)),
            self.mask_head.forward_frames(levels[: self.mask_head.num_levels]),
        )

    def loss(
        self, inputs: Tensor, data_samples: Sequence[TrackDataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Losses of a batch of clips (eq. 10).

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

        The clips of a video must come in order. What is known of a video is
        kept from its first clip to its last; several videos may take turns.

        Args:
            inputs (Tensor): (B, T, 3, H, W) normalised clips.
            data_samples (list[TrackDataSample]): Where the clips come from.

        Returns:
            list[TrackDataSample]: Frames whose results are final, with
            ``pred_track_instances``; ``clip_instances`` holds ids, scores
            and labels of the whole clip.
        """
        results = []
        for clip_inputs, sample in zip(inputs, data_samples):
            # without what other clips of the batch made necessary
            height, width = sample[0].get('pad_shape', inputs.shape[-2:])[:2]
            own = clip_inputs[..., :height, :width]
            video, frames = sample[0].video_id, sample.frame_ids
            state = self._state_before(video, frames)
            state, clip = self.step(state, own, frames, sample.num_final)
            if frames[0] + sample.num_final < sample[0].video_length:
                self.states[video] = state
            results.append(to_track_sample(clip, sample, own.shape[-2:]))
        return results

    def _state_before(self, video: int | str, frames: Sequence[int]) -> VideoState:
        """What is known of a video when its next clip comes.

        Raises:
            ValueError: If clips before this one have not been seen.
        """
        state = self.states.pop(video, None)
        if frames[0] == 0:
            return VideoState()
        if state is None:
            raise ValueError(
                f'video {video!r}: the clip of frames {tuple(frames)} came '
                'without the clips before it; use mmcico.VideoSampler'
            )
        return state

    @torch.no_grad()
    def step(
        self, state: VideoState, inputs: Tensor, frame_ids: Sequence[int], num_final: int
    ) -> tuple[VideoState, InstanceData]:
        """The next clip of a video.

        Frames that the clip before has shown are not computed again, and
        parts of the maps without candidates are left out; the results are
        those of the whole network.

        Args:
            state (VideoState): What is known; ``VideoState()`` at first.
            inputs (Tensor): (T, 3, H, W) normalised frames.
            frame_ids (Sequence[int]): Their positions in the video.
            num_final (int): The next clip begins with the frame after these.

        Returns:
            tuple[VideoState, InstanceData]: The new state, and the instances
            of the clip as from :meth:`detect`, with ``instances_id``.
        """
        check_clips(inputs[None], self.num_frames)
        shape = tuple(inputs.shape[-2:])
        outputs, protos, known = self.network(self, state.known, inputs, frame_ids, num_final)
        clip = self.detect(outputs, protos, shape)
        draw = partial(self.mask_head.redraw, protos, input_shape=shape)
        state, clip = self.link(state, clip, frame_ids, draw)
        return replace(state, known=known), clip

    def detect(
        self, outputs: ClipOutputs, protos: Tensor, input_shape: tuple[int, int]
    ) -> InstanceData:
        """Distinct instances of one clip.

        Args:
            outputs (ClipOutputs): Rows of the clip.
            protos (Tensor): (k, T, h, w).
            input_shape (tuple[int, int]): Height and width of the input.

        Returns:
            InstanceData: N instances, best score first: ``bboxes``
            (N, T, 4) and ``circumscribed`` (N, 4) in input pixels, ``scores``,
            ``labels``, ``masks`` (N, T, h, w) probabilities, ``embeds``
            (N, E), ``mask_params`` (N, k'); metainfo ``input_shape``.
        """
        scores = self.bbox_head.class_scores(outputs.cls_scores)
        query, prior = self.nms.select(scores, self.num_frames)
        clip = self.bbox_head.take_rows(outputs, scores, query, prior)
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
            state (VideoState): What is known of the video.
            clip (InstanceData): As from :meth:`detect`.
            frame_ids (Sequence[int]): The T frames of the clip.
            draw (Callable): Draws earlier instances on this clip's
                prototypes, for trackers that want it.

        Returns:
            tuple[VideoState, InstanceData]: The new state, and the clip with
            ``instances_id``, its masks on overlap frames settled.
        """
        before = state.tracker
        tracker, clip = self.tracker.step(before, clip, frame_ids, draw)
        if self.overlap_masks == 'mean':
            clip.masks = mean_overlap(before, clip, frame_ids)
        return replace(state, tracker=tracker), clip
