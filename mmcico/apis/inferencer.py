"""Inference on videos, as an inferencer of MMEngine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from torch import nn

from mmcico.deployment import load_onnx_model
from mmcico.models.vis.augmentation import mirror_motion
from mmcico.utils.weights import load_weights
from mmcico.visualization.style import DrawStyle

from .clip_stream import ClipStream, FrameResult
from .media import all_videos
from .model_loading import (
    ANY_OBJECT,
    ANY_OBJECT_NOTE,
    backend_of,
    check_checkpoint,
    check_config,
    check_device,
    checked_batch_size,
    classes_of,
    config_of,
    find_model,
    runs_any_object,
    tune,
)
from .output_plan import SAVE, SHOWN_SCORE, OutputPlan, identities, named_sources
from .outputs import BackgroundSink, TrackSink, drawn_frames
from .running import InterruptBetweenFrames, with_progress
from .sources import FrameSource, Source, array_pipeline, open_source


class CiCoInferencer(BaseInferencer):
    """Finds, segments and tracks the objects of any video.

    Args:
        model (str | Config): Path of a config, a config, or a name of the model index. By
            default, the config that the weights contain.
        weights (str, optional): Path or URL of a checkpoint. Without weights and model, those of
            the package run, which find objects of any kind as a single class.
        device (str, optional): Device; by default, the best that is available.
        allow_partial (bool): Whether weights may be missing or not fit.
        show_progress (bool): Whether to show frames per second and the remaining time.
        backend (str, optional): ``'pytorch'``, or ``'onnx'`` if ``weights`` is a file of
            ``mmcico export``. By default, the ending of the file decides.
        precision (str): Precision of the network: ``'fp32'``, ``'bf16'``, ``'fp16'``, or
            ``'auto'`` for bf16 if the device is fast at it, else fp32.
        compiled (bool): Whether to use ``torch.compile``. On a CPU, the first clips then take
            minutes.

    Examples:
        >>> inferencer = CiCoInferencer(
        ...     'configs/demo/cico-yolact_demo_moving-shapes.py',
        ...     weights='work_dirs/quickstart/iter_1500.pth')
        >>> results = inferencer('video.mp4', out_dir='outputs')
        >>> for frame in inferencer.stream(0):  # a camera
        ...     print(frame.frame_id, frame.sample.pred_track_instances.labels)

    Raises:
        ValueError: If there is no such model or device, or the weights do not fit.
    """

    def __init__(
        self,
        model: str | Config | ConfigDict | None = None,
        weights: str | None = None,
        device: str | None = None,
        allow_partial: bool = False,
        show_progress: bool = True,
        backend: str | None = None,
        precision: str = 'fp32',
        compiled: bool = False,
    ) -> None:
        init_default_scope('mmdet')
        if isinstance(model, (str, Path)):
            model, known = find_model(str(model))
            weights = weights or known
        if runs_any_object(model, weights, backend):
            weights = str(ANY_OBJECT)
            print_log(ANY_OBJECT_NOTE, logger='current')
        backend = backend_of(weights, backend, precision, compiled)
        if weights is None and not allow_partial:
            raise ValueError(
                'there are no weights: give weights=CHECKPOINT (allow_partial=True keeps the '
                'initial weights of the model)'
            )
        check_device(device)
        if model is None:
            model = config_of(str(weights), backend)
        check_config(model)
        mirror_motion(model)
        self.weights = weights
        self.allow_partial = allow_partial
        self.backend = backend
        super().__init__(model, weights, device, scope='mmdet', show_progress=show_progress)
        if backend == 'pytorch':
            tune(self.model, precision, compiled)
        dataset = self.cfg.test_dataloader.dataset
        self.clips = ClipStream(
            self.model, self.pipeline, dataset.get('overlap', 1), dataset.get('completion', 'shift')
        )

    def least_score(self, score_thr: float | None) -> float:
        """Return the least score that is shown: the given one, or else that of the config."""
        return self.cfg.get('shown_score', SHOWN_SCORE) if score_thr is None else score_thr

    def stream(self, source: Source, name: str | None = None) -> Iterator[FrameResult]:
        """Yield the results of each frame as soon as its clip is done.

        Memory does not grow with the video, unless the tracker remembers all tracks, as that of
        the published models does. Any number of streams of one inferencer can take turns.

        Args:
            source: Source of :func:`open_source`.
            name (str, optional): Name of the video.

        Yields:
            FrameResult: Results in the order of the frames.
        """
        opened = open_source(source, name)
        yield from self.clips.run(opened, opened.name)

    def __call__(
        self,
        inputs: Source | Sequence[Source],
        out_dir: str | None = None,
        save: str | Sequence[str] = SAVE,
        score_thr: float | None = None,
        style: DrawStyle = DrawStyle(),
        fps: float | None = None,
        return_datasamples: bool = False,
        batch_size: int | None = None,
    ) -> dict[str, Any]:
        """Run on one or several videos.

        Args:
            inputs: A source of :func:`open_source`, or a list of them. A folder or glob of
                video files stands for all of them.
            out_dir (str, optional): Output folder; without it no file is written.
            save (str | Sequence[str]): ``'video'``: overlays (``videos/<name>.mp4``); ``'masks'``:
                PNG with a palette (``masks/<name>/``); ``'json'``: ``results.json`` in the layout
                of YouTube-VIS, and ``tracks/<name>.json``.
            score_thr (float, optional): Instances with a lower score are not drawn; JSON files have
                all. By default, ``shown_score`` of the config, or 0.3.
            style (DrawStyle): Settings of overlays.
            fps (float, optional): Frames per second of overlays; by default, those of the source.
            return_datasamples (bool): Whether to return the data samples of all frames, which
                take memory in proportion to the length of the video.
            batch_size (int, optional): Number of clips of a file that the network gets at once; see
                :func:`checked_batch_size` for the default.

        Returns:
            dict: ``predictions`` has ``name``, ``tracks`` (see :meth:`TrackSink.records`) and, if
            wanted, ``datasamples`` of each video; ``visualization`` has the paths of the overlays.

        Raises:
            ValueError: If a source or the folder cannot be used, or files of a source would be
                replaced. Results so far are written.
            KeyboardInterrupt: On Ctrl-C, between two frames. Results so far are written.
        """
        wanted = (save,) if isinstance(save, str) else tuple(save)
        size = checked_batch_size(batch_size, self.model.data_preprocessor.device)
        plan = OutputPlan(out_dir, wanted, self.least_score(score_thr), style, fps)
        runs: list[TrackSink] = []
        samples: dict[str, list[DetDataSample]] = {}
        try:
            sources = all_videos(inputs)
            taken = identities(sources)
            for opened in named_sources(sources):
                plan.check_spared(opened.name, taken)
                runs.append(TrackSink(opened.name, self.classes, self.category_ids))
                kept = samples.setdefault(opened.name, [])
                # nothing but the loop may hold the generator, so that an error closes it before
                # the tracks are written
                for result in self._run(opened, runs[-1], plan, size):
                    if return_datasamples:
                        kept.append(result.sample.cpu())
        finally:
            plan.write_tracks(runs)
        return self.postprocess(runs, plan.videos(runs), samples if return_datasamples else None)

    def _run(
        self, source: FrameSource, tracks: TrackSink, plan: OutputPlan, batch_size: int
    ) -> Iterator[FrameResult]:
        """Run on one video and give each result to all sinks."""
        with ExitStack() as stack:
            interrupt = stack.enter_context(InterruptBetweenFrames())
            sinks = [BackgroundSink(tracks), *plan.sinks(source, self.classes)]
            for sink in sinks:
                stack.enter_context(sink)
            results = self.clips.run(source, source.name, batch_size)
            if self.show_progress:
                results = with_progress(results, source.name, source.length)
            for result in results:
                for sink in sinks:
                    sink.write(result)
                interrupt.check()
                yield result

    def visualize(
        self,
        inputs: Any,
        preds: Sequence[FrameResult],
        score_thr: float | None = None,
        style: DrawStyle = DrawStyle(),
    ) -> list[np.ndarray]:
        """Draw results of :meth:`stream`.

        Args:
            inputs: Not used, since the results contain their frames.
            preds (Sequence[FrameResult]): Frames of one video, in order.
            score_thr (float, optional): As above.
            style (DrawStyle): Settings of the pictures.

        Returns:
            list[ndarray]: (H', W', 3) uint8 BGR.
        """
        return list(drawn_frames(preds, self.classes, self.least_score(score_thr), style))

    def postprocess(
        self,
        preds: Sequence[TrackSink],
        visualization: list[str],
        return_datasamples: dict[str, list[DetDataSample]] | None = None,
    ) -> dict[str, Any]:
        """Combine the results in one dict.

        Args:
            preds (Sequence[TrackSink]): Tracks of each video.
            visualization (list[str]): Paths of the overlays.
            return_datasamples (dict, optional): Data samples of the frames by video.

        Returns:
            dict: ``predictions`` and ``visualization``.
        """
        predictions = []
        for tracks in preds:
            entry = dict(name=tracks.name, tracks=tracks.records())
            if return_datasamples is not None:
                entry['datasamples'] = return_datasamples[tracks.name]
            predictions.append(entry)
        return dict(predictions=predictions, visualization=visualization)

    def _init_model(self, cfg: ConfigDict, weights: str | None, device: str) -> nn.Module:
        """Return the model of the backend, in eval mode."""
        if self.backend == 'pytorch':
            return super()._init_model(cfg, weights, device)
        model = load_onnx_model(cfg, str(weights), device)
        self.classes, self.category_ids = model.onnx_info.classes, model.onnx_info.category_ids
        return model

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict | None, cfg: ConfigDict | None
    ) -> None:
        """Load weights that fit, and the names of the classes."""
        source = str(self.weights)
        content = {} if checkpoint is None else check_checkpoint(checkpoint, source)
        self.classes, self.category_ids = classes_of(cfg, content.get('meta') or {})
        if checkpoint is None:
            return
        params = content.get('state_dict', content)
        for line in load_weights(model, params, source, self.allow_partial):
            print_log(f'{source}: {line}', logger='current')

    def _init_pipeline(self, cfg: ConfigDict) -> Callable:
        """Return the test pipeline of the config for frames in memory."""
        return array_pipeline(cfg)

    def _init_collate(self, cfg: ConfigDict) -> Callable:
        """Return MMEngine's own function; clips are not batched."""
        return pseudo_collate

    def _init_visualizer(self, cfg: ConfigDict) -> None:
        """Return None, since sinks draw."""
