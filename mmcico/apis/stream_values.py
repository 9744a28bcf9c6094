"""Values of a stream: clips before and after the model, and results of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmcico.datasets.clip_windows import Window
from mmcico.models.vis.data_samples import sample_of_frames, to_track_sample

if TYPE_CHECKING:
    from supervision import Detections


class FrameResult(NamedTuple):
    """Results of one frame.

    Attributes:
        frame_id (int): Position in the video.
        image (ndarray): (H, W, 3) uint8 BGR, a copy of the frame.
        sample (DetDataSample): ``pred_track_instances`` at original size with ``instances_id``,
            ``labels``, ``scores``, ``bboxes`` and ``masks``; ``tentative_track_instances``, the
            same for tracks that are not confirmed yet, if the tracker confirms tracks.
        votes (InstanceData, optional): ``instances_id``, ``scores``, ``labels`` and ``tentative``
            of all tracks of a clip, in the result of its first frame. The score of a track is the
            mean over its clips, its class the most frequent one.
    """

    frame_id: int
    image: np.ndarray
    sample: DetDataSample
    votes: InstanceData | None = None

    def all_instances(self) -> InstanceData:
        """Return the instances of all tracks, the tentative ones included."""
        found = self.sample.pred_track_instances
        tentative = self.sample.get('tentative_track_instances')
        return found if tentative is None else InstanceData.cat([found, tentative])

    def to_supervision(self, classes: Sequence[str] | None = None) -> Detections:
        """Return the instances as the package ``supervision`` represents them.

        Args:
            classes (Sequence[str], optional): Names of the labels, such as ``inferencer.classes``.

        Returns:
            supervision.Detections: ``xyxy``, ``mask``, ``confidence``, ``class_id`` and
            ``tracker_id`` of the N instances, and ``data['class_name']`` if names are given.

        Raises:
            ValueError: If the package is not installed.
        """
        try:
            import supervision
        except ImportError as error:
            raise ValueError(
                f'supervision cannot be imported ({error}); install it with '
                '"pip install supervision"'
            ) from error
        found = self.sample.pred_track_instances.cpu().numpy()
        labels = found.labels.astype(int)
        return supervision.Detections(
            xyxy=found.bboxes.reshape(-1, 4).astype(np.float32),
            mask=found.masks.astype(bool).reshape(-1, *self.image.shape[:2]),
            confidence=found.scores.astype(np.float32),
            class_id=labels,
            tracker_id=found.instances_id.astype(int),
            data={} if classes is None else {'class_name': np.array(classes)[labels]},
        )


class LoadedClip(NamedTuple):
    """A clip that the model can take.

    Attributes:
        window (Window): Frames of the clip.
        images (dict[int, ndarray]): Frames by position.
        inputs (Tensor): (T, 3, H, W) normalised frames.
        sample (TrackDataSample): Meta information of the frames.
        at_end (bool): Whether the video was known to end when the window was chosen.
    """

    window: Window
    images: dict[int, np.ndarray]
    inputs: Tensor
    sample: TrackDataSample
    at_end: bool = False


class LinkedClip(NamedTuple):
    """Instances of a clip with ids, not yet at original size.

    Attributes:
        clip (InstanceData): Result of ``CiCo.steps``.
        loaded (LoadedClip): The clip.
    """

    clip: InstanceData
    loaded: LoadedClip

    def _results(self, first: int, end: int) -> list[FrameResult]:
        """Return frames from one position of the clip to another at original size.

        The first one has the votes of the clip.
        """
        _, images, inputs, sample, _ = self.loaded
        height, width = inputs.shape[-2:]
        meta = dict(sample.metainfo, num_written=first, num_final=end)
        wanted = sample_of_frames(meta, sample.video_data_samples)
        result = to_track_sample(self.clip, wanted, (height, width))
        frames = [
            FrameResult(frame.frame_id, images[frame.frame_id], frame)
            for frame in result.video_data_samples
        ]
        return [frames[0]._replace(votes=result.clip_instances), *frames[1:]]

    def final_results(self) -> list[FrameResult]:
        """Return the frames that no other clip shows again."""
        return self._results(self.loaded.window.num_written, self.loaded.window.num_final)

    def rest(self) -> list[FrameResult]:
        """Return those of the T frames after the final ones, when no other clip follows."""
        first, num_frames = self.loaded.window.num_final, len(self.loaded.inputs)
        if first == num_frames or self.loaded.at_end:
            return []
        frames = self._results(first, num_frames)
        # the clip has voted with its first frame
        return [frames[0]._replace(votes=None), *frames[1:]]
