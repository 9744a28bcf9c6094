"""Measurements of a CiCo model on a video."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmcico.apis import CiCoInferencer, FrameSource, StreamState, open_source
from mmcico.apis.clip_stream import batches
from mmcico.apis.outputs import TrackSink
from mmcico.datasets.clip_windows import clip_windows
from mmcico.models import CiCo
from mmcico.models.vis.clip_network import ClipInput, VideoState

from .measures import PeakMemory, measured_peak, quantile, seconds_of, spread, wait_for
from .stages import NETWORK, STAGES, StageMeter, clock, flop_meter, metered
from .videos import SpeedVideo


def ready_clips(inferencer: CiCoInferencer, video: SpeedVideo) -> list[ClipInput]:
    """Load all clips of a video."""
    clips = inferencer.clips
    frames = dict(enumerate(video.frames))
    windows = clip_windows(len(frames), clips.num_frames, clips.overlap, clips.completion)
    return [
        ClipInput(clips.prepare('video', frames, each)[0], each.frame_ids, each.num_final)
        for each in windows
    ]


def input_scale(inferencer: CiCoInferencer, video: SpeedVideo) -> tuple[float, float]:
    """Return height and width of the input, without padding, divided by those of the video."""
    clips = inferencer.clips
    window = clip_windows(len(video.frames), clips.num_frames, clips.overlap)[0]
    _, sample = clips.prepare('video', dict(enumerate(video.frames)), window)
    height, width = sample[0].img_shape[:2]
    return height / video.size[0], width / video.size[1]


def run_clips(model: CiCo, clips: Sequence[ClipInput], batch_size: int = 1) -> list[InstanceData]:
    """Run the clips of a video in order; return their linked instances."""
    state, found = VideoState(), []
    for batch in batches(clips, batch_size):
        for after, instances in model.steps(state, batch):
            state = after
            found.append(instances)
    return found


def second_clip(
    inferencer: CiCoInferencer, video: SpeedVideo
) -> Callable[[], tuple[float, InstanceData]]:
    """Return a function that runs the second clip of a video, as often as it is called.

    Like any clip of a long video but the first, it shares frames with the one before.

    Returns:
        Callable: Returns the seconds of a new frame, and the linked instances of the clip.
    """
    model, (first, second) = inferencer.model, ready_clips(inferencer, video)[:2]
    state, _ = model.step(VideoState(), *first)
    new_frames = len(second.frame_ids) - inferencer.clips.overlap

    def run() -> tuple[float, InstanceData]:
        wait_for(second.inputs.device)
        start = time.perf_counter()
        _, found = model.step(state, *second)
        wait_for(second.inputs.device)
        return (time.perf_counter() - start) / new_frames, found

    return run


@dataclass
class Plan:
    """Measurements of a model on a video.

    Attributes:
        inferencer (CiCoInferencer): Inferencer with the model.
        video (SpeedVideo): The video.
        repeats (int): Number of measured runs, after one that warms up.
        batch_size (int): Number of clips that the network gets at once.
    """

    inferencer: CiCoInferencer
    video: SpeedVideo
    repeats: int = 5
    batch_size: int = 1

    @property
    def model(self) -> CiCo:
        """CiCo: The model."""
        return self.inferencer.model

    @property
    def device(self) -> torch.device:
        """torch.device: Device of the model."""
        return next(self.model.mask_head.parameters()).device

    def source(self) -> FrameSource | str:
        """Return the video, read from its files up to the last measured frame."""
        opened = open_source(self.video.source)
        frames = (frame for frame, _ in zip(opened.frames, self.video.frames))
        return FrameSource(opened.name, frames, opened.fps, len(self.video.frames), opened.is_file)

    def frames_a_second(self, work: Callable[[], Any]) -> dict[str, float]:
        """Return the spread of the frames per second over repeated runs on the whole video."""
        runs = [seconds_of(work, self.device) for _ in range(self.repeats + 1)]
        return spread([len(self.video.frames) / each for each in runs[1:]])

    def whole_run(self) -> None:
        """Run the inferencer on the video."""
        self.inferencer(self.source(), batch_size=self.batch_size)

    def end_to_end(self) -> dict[str, float]:
        """Measure the speed from files to encoded tracks, with the threads of the inferencer."""
        return self.frames_a_second(self.whole_run)

    def steps(self) -> dict[str, float]:
        """Measure the speed from prepared clips to linked instances at the size of the maps."""
        clips = ready_clips(self.inferencer, self.video)
        return self.frames_a_second(lambda: run_clips(self.model, clips, self.batch_size))

    def memory(self) -> float:
        """Return the peak memory of an end-to-end run in MiB."""
        with PeakMemory(self.device) as peak:
            self.whole_run()
        return peak.mib

    def stages(self) -> dict[str, dict[str, float]]:
        """Return the spread of the seconds per frame of each stage, without overlap of stages."""
        runs = []
        for _ in range(self.repeats + 1):
            meter = StageMeter(clock(self.device))
            with metered(self.model, meter):
                self.staged_run(meter)
            runs.append(meter.totals)
        number = len(self.video.frames)
        return {name: spread([run[name] / number for run in runs[1:]]) for name in STAGES}

    def staged_run(self, meter: StageMeter) -> None:
        """Run everything in one thread, so that stages do not overlap."""
        inferencer = self.inferencer
        stream, sink = inferencer.clips, TrackSink('video', inferencer.classes, [])
        prepare = stream.prepare
        stream.prepare = meter.wrap('transform', prepare)  # type: ignore[method-assign]
        encode = meter.wrap('enlarge and encode', lambda job: [sink.write(each) for each in job()])
        try:
            source = iter(self.source())
            clips = stream._loaded(timed_items(source, meter), 'video')
            for job in stream._linked(StreamState(), batches(clips, self.batch_size)):
                encode(job)
        finally:
            del stream.prepare

    def latency(self) -> dict[str, float]:
        """Return quantiles of the seconds that a live stream waits at the last frame of a clip.

        A video that is shorter than a clip has none.
        """
        stream, times = self.inferencer.clips, []
        for run in range(self.repeats + 1):
            state = StreamState()
            for frame in self.video.frames:
                start = time.perf_counter()
                state, found = stream.push(state, frame)
                wait_for(self.device)
                if found and run:
                    times.append(time.perf_counter() - start)
            stream.finish(state)
        return dict(p50=quantile(times, 0.5), p99=quantile(times, 0.99)) if times else {}

    def flops(self) -> dict[str, float]:
        """Return the operations per frame of each stage."""
        clips = ready_clips(self.inferencer, self.video)
        with flop_meter(self.model) as meter:
            run_clips(self.model, clips)
        return {name: meter.totals[name] / len(self.video.frames) for name in STAGES}

    def candidates(self) -> dict[str, float]:
        """Return the mean numbers of candidates and of instances of a clip."""
        clips = ready_clips(self.inferencer, self.video)
        nms = self.model.nms
        select, numbers = nms.select, []

        def counted(*args: Any) -> Any:
            found = select(*args)
            numbers.append(len(found[0]))
            return found

        nms.select = counted
        try:
            instances = [len(each) for each in run_clips(self.model, clips)]
        finally:
            del nms.select
        return dict(candidates=float(np.mean(numbers)), instances=float(np.mean(instances)))

    def instances(self) -> float:
        """Return the mean number of instances in the results of a frame."""
        results = self.inferencer.stream(self.source())
        shown = sum(len(each.sample.pred_track_instances) for each in results)
        return shown / len(self.video.frames)

    def measure(self, precision: str, peak: bool = True) -> dict[str, Any]:
        """Return all measurements.

        Args:
            precision (str): ``'fp32'``, ``'bf16'`` or ``'fp16'``, the precision of the matrix
                product that the model is compared with.
            peak (bool): Whether to count operations, which is not possible for compiled models.
        """
        result: dict[str, Any] = dict(
            clip=self.candidates(),
            instances=self.instances(),
            end_to_end=self.end_to_end(),
            steps=self.steps(),
            stages=self.stages(),
            latency=self.latency(),
            memory=self.memory(),
        )
        seconds = {name: each['median'] for name, each in result['stages'].items()}
        network = sum(seconds[name] for name in NETWORK)
        result['network'] = dict(median=1 / network if network else 0.0)
        result['end_to_end_share'] = result['end_to_end']['median'] * network
        result['after_network'] = sum(
            seconds[name] for name in ('masks', 'NMS', 'link', 'rest', 'enlarge and encode')
        ) / max(sum(seconds.values()), 1e-12)
        if peak:
            flops = self.flops()
            best = measured_peak(self.device, precision)
            result.update(flops=flops, peak=best)
            result['share_of_peak'] = {
                name: flops[name] / seconds[name] / best
                for name in NETWORK
                if flops[name] and seconds[name]
            }
        return result


def timed_items(items: Iterable[Any], meter: StageMeter) -> Iterable[Any]:
    """Yield items and count the time until each of them as decoding."""
    fetch = meter.wrap('decode', lambda: next(iterator, None))
    iterator = iter(items)
    while (item := fetch()) is not None:
        yield item
