"""A model on the frames of a video as they arrive."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np
from mmdet.structures import TrackDataSample
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmcico.datasets.clip_windows import Window, clip_windows, next_window
from mmcico.models.vis.cico import CiCo
from mmcico.models.vis.clip_network import ClipInput, VideoState

from .running import UntilError, ahead, in_background
from .sources import FrameSource, checked_frame, clip_info
from .stream_values import FrameResult, LinkedClip, LoadedClip

Clip = TypeVar('Clip')


@dataclass(frozen=True)
class StreamState:
    """State of a video that goes on, of bounded size unless the tracker remembers all tracks.

    Attributes:
        name (str): Name of the video.
        num_frames (int): Number of frames so far.
        num_clips (int): Number of clips that were made of them.
        recent (dict): The last T frames by their positions.
        video (VideoState): The model's part.
        last (LinkedClip, optional): The last clip.
    """

    name: str = 'video'
    num_frames: int = 0
    num_clips: int = 0
    recent: dict[int, np.ndarray] = field(default_factory=dict)
    video: VideoState = field(default_factory=VideoState)
    last: LinkedClip | None = None


class ClipStream:
    """Runs a model on frames; the state of a video is a value.

    Any number of videos can take turns, each with its own :class:`StreamState`. Results are
    returned as soon as their clip is done and equal those of testing the whole video, on a GPU to
    rounding.

    Args:
        model (CiCo): Model in eval mode.
        pipeline (Callable): Test pipeline that takes frames as arrays.
        overlap (int): To, number of frames that neighbouring clips share.
        completion (str): Treatment of a short last clip, see :func:`clip_windows`.
    """

    def __init__(
        self, model: CiCo, pipeline: Callable, overlap: int = 1, completion: str = 'shift'
    ) -> None:
        self.model = model
        self.pipeline = pipeline
        self.overlap = overlap
        self.completion = completion

    @property
    def num_frames(self) -> int:
        """int: T."""
        return self.model.num_frames

    def push(self, state: StreamState, frame: np.ndarray) -> tuple[StreamState, list[FrameResult]]:
        """Add the next frame.

        Args:
            state (StreamState): State of the video; ``StreamState()`` at first.
            frame (ndarray): (H, W, 3) uint8 BGR, or what :func:`checked_frame` takes. It is
                copied, since cameras often fill the same array again.

        Returns:
            tuple[StreamState, list[FrameResult]]: The new state, and the frames whose results
            are final now, in order.

        Raises:
            ValueError: If it is not a frame, or has another size than the frames before.
        """
        state, loaded = self._load(state, frame)
        if loaded is None:
            return state, []
        ((state, linked),) = self._steps(state, [loaded])
        return state, linked.final_results()

    def finish(self, state: StreamState) -> list[FrameResult]:
        """Return the remaining frames, in order, when the video has ended.

        Args:
            state (StreamState): State of the video.
        """
        return self.conclude(state)[1]

    def conclude(self, state: StreamState) -> tuple[StreamState, list[FrameResult]]:
        """Return the last state and the remaining frames, in order."""
        found = []
        for loaded in self._load_rest(state):
            ((state, linked),) = self._steps(state, [loaded])
            found += linked.final_results()
        if state.last is not None:
            # the last clip may have been cut before it was known to be the last
            found += state.last.rest()
        return state, found

    def run(
        self, frames: Iterable[np.ndarray], name: str = 'video', batch_size: int = 1
    ) -> Iterator[FrameResult]:
        """Yield the results of all frames of a video, in order.

        Args:
            frames (Iterable[ndarray]): The frames. Those of a :class:`FrameSource` of files are
                decoded and resized ahead by a thread, while another one brings masks to their
                original size.
            name (str): Name of the video.
            batch_size (int): Number of clips of a file that the network gets at once.

        Raises:
            Exception: The error of ``frames`` or of the pipeline, after the results of the
                frames before it.
        """
        is_file = isinstance(frames, FrameSource) and frames.is_file
        batch_size = batch_size if is_file else 1
        source = UntilError(frames)
        loaded = self._loaded(source, name)
        with ExitStack() as stack:
            # a thread that frees a generator cannot wait for its own end, so they are closed here
            if is_file:
                loaded = stack.enter_context(closing(ahead(loaded, batch_size + 1)))
            clips = UntilError(loaded)
            linked = self._linked(StreamState(name), batches(clips, batch_size))
            results = in_background(linked, batch_size) if is_file else (job() for job in linked)
            for result in stack.enter_context(closing(results)):
                yield from result
        for failed in (clips.error, source.error):
            if failed is not None:
                raise failed

    def _loaded(self, frames: Iterable[np.ndarray], name: str) -> Iterator[LoadedClip]:
        """Yield all clips of a video."""
        state = StreamState(name)
        for frame in frames:
            state, loaded = self._load(state, frame)
            if loaded is not None:
                yield loaded
                state = replace(state, num_clips=state.num_clips + 1)
        yield from self._load_rest(state)

    def _linked(
        self, state: StreamState, batches: Iterable[list[LoadedClip]]
    ) -> Iterator[Callable[[], list[FrameResult]]]:
        """Yield for each clip a function that returns its results, and one for the end."""
        for batch in batches:
            for after, linked in self._steps(state, batch):
                state = after
                yield linked.final_results
        if state.last is not None:
            yield state.last.rest

    def prepare(
        self, name: str, frames: dict[int, np.ndarray], window: Window
    ) -> tuple[Tensor, TrackDataSample]:
        """Load a clip.

        Args:
            name (str): Name of the video.
            frames (dict[int, ndarray]): Frames by position.
            window (Window): Frames of the clip.

        Returns:
            tuple[Tensor, TrackDataSample]: (T, 3, H, W) normalised frames, and their meta
            information.

        Raises:
            ValueError: If one side of the input would be 0.
        """
        try:
            data = self.pipeline(clip_info(name, frames, window))
        except cv2.error as error:
            size = frames[window.frame_ids[0]].shape[:2]
            raise ValueError(
                f'{name}: frames of {size} (height, width) cannot be resized to the input of the '
                f'model ({" ".join(str(error).split())})'
            ) from error
        data = pseudo_collate([data])
        device = self.model.data_preprocessor.device
        if device.type == 'cuda':  # pinned memory is copied while others work
            data['inputs'] = [
                each.pin_memory().to(device, non_blocking=True) for each in data['inputs']
            ]
        data = self.model.data_preprocessor(data, False)
        return data['inputs'][0], data['data_samples'][0]

    def _load(self, state: StreamState, frame: np.ndarray) -> tuple[StreamState, LoadedClip | None]:
        """Add a frame, and load a clip if it completes one."""
        before = state.recent.get(state.num_frames - 1)
        frame = checked_frame(
            frame,
            f'{state.name}: frame {state.num_frames}',
            None if before is None else before.shape[:2],
        )
        recent = {**state.recent, state.num_frames: frame.copy()}
        recent.pop(state.num_frames - self.num_frames, None)
        state = replace(state, recent=recent, num_frames=state.num_frames + 1)
        window = next_window(state.num_frames, state.num_clips, self.num_frames, self.overlap)
        if window is None:
            return state, None
        return state, LoadedClip(window, recent, *self.prepare(state.name, recent, window))

    def _load_rest(self, state: StreamState) -> Iterator[LoadedClip]:
        """Yield the clips that are left when the video has ended."""
        if state.num_frames:
            windows = clip_windows(state.num_frames, self.num_frames, self.overlap, self.completion)
            for window in windows[state.num_clips :]:
                inputs, sample = self.prepare(state.name, state.recent, window)
                yield LoadedClip(window, state.recent, inputs, sample, at_end=True)

    def _steps(
        self, state: StreamState, batch: Sequence[LoadedClip]
    ) -> Iterator[tuple[StreamState, LinkedClip]]:
        """Run the model on the next clips; yield the state after each, and the clip."""
        inputs = [
            ClipInput(each.inputs, each.window.frame_ids, each.window.num_final) for each in batch
        ]
        for loaded, (video, clip) in zip(batch, self.model.steps(state.video, inputs)):
            linked = LinkedClip(clip, loaded)
            state = replace(state, num_clips=state.num_clips + 1, video=video, last=linked)
            yield state, linked


def batches(clips: Iterable[Clip], size: int) -> Iterator[list[Clip]]:
    """Yield clips in batches of a size.

    The first clip, which has more new frames than the others, comes alone. What is left at the end
    comes in batches of powers of two, so that the network gets few sizes of inputs.
    """
    waiting: list[Clip] = []
    for number, clip in enumerate(clips):
        waiting.append(clip)
        if number == 0 or len(waiting) == size:
            yield waiting
            waiting = []
    while waiting:
        size = 1 << (len(waiting).bit_length() - 1)
        yield waiting[:size]
        waiting = waiting[size:]
