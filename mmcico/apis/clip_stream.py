"""A model on the frames of a video as they come."""

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import cv2
import numpy as np
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.config import ConfigDict
from mmengine.dataset import Compose, pseudo_collate
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.datasets.clip_windows import Window, clip_windows, next_window
from mmcico.models.vis.cico import CiCo
from mmcico.models.vis.results import to_track_sample
from mmcico.models.vis.video_state import VideoState

from .frames import UntilError, checked_frame


class FrameResult(NamedTuple):
    """What was found in one frame.

    Attributes:
        frame_id (int): Position in the video.
        image (ndarray): (H, W, 3) uint8 BGR, a copy of the frame.
        sample (DetDataSample): ``pred_track_instances`` at original size:
            ``instances_id``, ``labels``, ``scores``, ``bboxes``, ``masks``.
        votes (InstanceData, optional): With the first frame of each clip:
            ``instances_id``, ``scores`` and ``labels`` of all its tracks.
            A track's score is the mean over its clips, its class the one
            most clips say.
    """

    frame_id: int
    image: np.ndarray
    sample: DetDataSample
    votes: InstanceData | None = None


class LinkedClip(NamedTuple):
    """A clip with ids, not yet at original size.

    Attributes:
        clip (InstanceData): As from ``CiCo.step``.
        sample (TrackDataSample): Where it comes from.
        input_shape (tuple[int, int]): Height and width of the input.
    """

    clip: InstanceData
    sample: TrackDataSample
    input_shape: tuple[int, int]


@dataclass(frozen=True)
class StreamState:
    """All that is known of a video that goes on.

    Of bounded size, as far as the tracker's memory is.

    Attributes:
        name (str): Of the video.
        num_frames (int): Frames that have come.
        num_clips (int): Clips that were made of them.
        recent (dict): The last T frames by their positions.
        video (VideoState): The model's part.
        last (LinkedClip, optional): The last clip, whose end is the next
            one's, if there is one.
    """

    name: str = 'video'
    num_frames: int = 0
    num_clips: int = 0
    recent: dict[int, np.ndarray] = field(default_factory=dict)
    video: VideoState = field(default_factory=VideoState)
    last: LinkedClip | None = None


class ClipStream:
    """Runs a model on frames; what is known of a video is a value.

    Any number of videos can take turns, each with its own
    :class:`StreamState`. Frames come out as soon as their clip is done. The
    results are those of testing the whole video.

    Args:
        model (CiCo): In eval mode.
        pipeline (Callable): Test pipeline that takes frames as arrays.
        overlap (int): To, frames shared by neighbouring clips.
        completion (str): What becomes of a short last clip, see
            :func:`clip_windows`.
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
        """Take the next frame.

        Args:
            state (StreamState): What is known; ``StreamState()`` at first.
            frame (ndarray): (H, W, 3) uint8 BGR, or what :func:`as_bgr`
                takes. It is copied: cameras often fill the same array.

        Returns:
            tuple[StreamState, list[FrameResult]]: The new state, and the
            frames whose results are final now, in order.

        Raises:
            ValueError: If it is no frame, or of another size than before.
        """
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
        return (state, []) if window is None else self._clip(state, window)

    def finish(self, state: StreamState) -> list[FrameResult]:
        """The frames that are left when the video has ended.

        Args:
            state (StreamState): What is known.

        Returns:
            list[FrameResult]: In order.
        """
        return self.conclude(state)[1]

    def conclude(self, state: StreamState) -> tuple[StreamState, list[FrameResult]]:
        """As :meth:`finish`, with what is known then."""
        if not state.num_frames:
            return state, []
        windows = clip_windows(state.num_frames, self.num_frames, self.overlap, self.completion)
        found = []
        for window in windows[state.num_clips :]:
            state, results = self._clip(state, window)
            found += results
        first = state.last.sample.num_final
        if found or first == self.num_frames:
            return state, found
        # the last clip was cut before it was known to be the last
        rest, _ = frame_results(state, first, self.num_frames)
        return state, found + rest

    def run(self, frames: Iterable[np.ndarray], name: str = 'video') -> Iterator[FrameResult]:
        """Results of all frames of a video, in order.

        Raises:
            Exception: What ``frames`` raises, once the frames that came
                before have their results.
        """
        state = StreamState(name)
        source = UntilError(frames)
        for frame in source:
            state, results = self.push(state, frame)
            yield from results
        yield from self.finish(state)
        if source.error is not None:
            raise source.error

    def prepare(
        self, name: str, frames: dict[int, np.ndarray], window: Window
    ) -> tuple[Tensor, TrackDataSample]:
        """Load a clip.

        Args:
            name (str): Of the video.
            frames (dict[int, ndarray]): Frames by position.
            window (Window): Which of them make the clip.

        Returns:
            tuple[Tensor, TrackDataSample]: (T, 3, H, W) normalised frames,
            and where they come from.

        Raises:
            ValueError: If one side of the input would be 0.
        """
        try:
            data = self.pipeline(clip_info(name, frames, window))
        except cv2.error as error:
            size = frames[window.frame_ids[0]].shape[:2]
            raise ValueError(
                f'{name}: frames of {size} (height, width) cannot be resized '
                f"to the model's input ({' '.join(str(error).split())})"
            ) from error
        data = self.model.data_preprocessor(pseudo_collate([data]), False)
        return data['inputs'][0], data['data_samples'][0]

    def _clip(self, state: StreamState, window: Window) -> tuple[StreamState, list[FrameResult]]:
        """Make a clip of the last frames."""
        inputs, sample = self.prepare(state.name, state.recent, window)
        video, clip = self.model.step(state.video, inputs, window.frame_ids, window.num_final)
        state = replace(
            state,
            num_clips=state.num_clips + 1,
            video=video,
            last=LinkedClip(clip, sample, tuple(inputs.shape[-2:])),
        )
        frames, votes = frame_results(state, window.num_written, window.num_final)
        frames[0] = frames[0]._replace(votes=votes)
        return state, frames


def frame_results(
    state: StreamState, first: int, end: int
) -> tuple[list[FrameResult], InstanceData]:
    """Frames of the last clip, at original size.

    Args:
        state (StreamState): With its last clip.
        first (int): Position in the clip of the first frame.
        end (int): Position after the last frame.

    Returns:
        tuple[list[FrameResult], InstanceData]: The frames, and what the
        clip says of its tracks.
    """
    clip, sample, input_shape = state.last
    wanted = TrackDataSample(metainfo=dict(sample.metainfo, num_written=first, num_final=end))
    wanted.video_data_samples = sample.video_data_samples
    result = to_track_sample(clip, wanted, input_shape)
    frames = [
        FrameResult(frame.frame_id, state.recent[frame.frame_id], frame)
        for frame in result.video_data_samples
    ]
    return frames, result.clip_instances


def array_pipeline(cfg: ConfigDict) -> Compose:
    """The test pipeline of a config, for frames in memory."""
    steps = copy.deepcopy(cfg.test_dataloader.dataset.pipeline)
    for step in steps:
        for inner in step.get('transforms', []):
            if inner['type'] == 'mmcico.LoadClipFrame':
                inner['type'] = 'mmcico.LoadClipArray'
    return Compose(steps)


def clip_info(name: str, images: dict[int, np.ndarray], window: Window) -> dict:
    """What the pipeline starts from, as :class:`VISDataset` gives it."""
    frames = {
        frame_id: dict(
            img=images[frame_id],
            img_path=f'{name}/{frame_id}',
            img_id=f'{name}/{frame_id}',
            video_id=name,
            frame_id=frame_id,
            source=name,
            height=images[frame_id].shape[0],
            width=images[frame_id].shape[1],
            instances=[],
        )
        for frame_id in window.frame_ids
    }
    return dict(
        video_id=name,
        num_frames=len(window.frame_ids),
        key_frame_id=window.frame_ids[0],
        frames=frames,
        **window._asdict(),
    )
