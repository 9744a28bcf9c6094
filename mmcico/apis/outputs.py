"""Destinations of the results of a video: overlay video, masks, tracks."""

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.evaluation.video_results import VideoResults
from mmcico.formats.rle import encode_masks
from mmcico.models.vis.data_samples import VOTE_FIELDS
from mmcico.visualization import DrawnObject, VideoWriter, open_video_writer
from mmcico.visualization.style import DrawStyle, Frame, TrackHistory, draw_frame, with_history

from .mask_pictures import is_mask_picture, write_mask_picture
from .running import background_thread
from .stream_values import FrameResult


class ResultSink(AbstractContextManager):
    """Takes the frames of one video, in order."""

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Write a frame.

        Raises:
            OSError: If it cannot be written.
        """

    def close(self) -> None:
        """Finish the output; frames that were written are kept."""

    def __exit__(self, *error: Any) -> None:
        self.close()


class BackgroundSink(ResultSink):
    """Runs another sink in a thread of its own, in order.

    OpenCV, PyAV and pycocotools release Python's lock while they work, so that the model need
    not wait for them. Frames wait in a queue of limited length. None is written after one that
    failed.

    Args:
        sink (ResultSink): Sink that does the work.
        length (int): Number of frames that may wait.
    """

    def __init__(self, sink: ResultSink, length: int = 4) -> None:
        self.sink = sink
        self.length = length
        self._has_failed = False
        self._waiting: deque[Future] = deque()
        self._pool = background_thread('mmcico-writer')

    def write(self, result: FrameResult) -> None:
        """Hand over a frame.

        Raises:
            OSError: If it, or one before, could not be written.
        """
        self._wait_for(self.length - 1)
        self._waiting.append(self._pool.submit(self._work, result))

    def close(self) -> None:
        """Wait for all frames, then finish.

        Raises:
            OSError: If one could not be written; once, so not if :meth:`write` told it.
        """
        try:
            self._wait_for(0)
        finally:
            self._pool.shutdown()
            self.sink.close()

    def _work(self, result: FrameResult) -> None:
        """Write a frame, in the thread, unless one before failed."""
        if not self._has_failed:
            self._has_failed = True  # until it is written
            self.sink.write(result)
            self._has_failed = False

    def _wait_for(self, left: int) -> None:
        """Wait until at most ``left`` frames are waiting."""
        while len(self._waiting) > left:
            self._waiting.popleft().result()


def drawn_objects(
    result: FrameResult, classes: Sequence[str], score_thr: float
) -> list[DrawnObject]:
    """Return the instances of a frame as drawing functions expect them, best score last.

    Instances with a score below ``score_thr`` are left out.
    """
    tracks = result.sample.pred_track_instances.cpu().numpy()
    order = np.argsort(tracks.scores, kind='stable')
    return [
        DrawnObject(
            int(tracks.instances_id[row]),
            tracks.masks[row].astype(bool),
            classes[int(tracks.labels[row])],
            float(tracks.scores[row]),
            tuple(tracks.bboxes[row].tolist()),
        )
        for row in order
        if tracks.scores[row] >= score_thr
    ]


def drawn_frames(
    results: Iterable[FrameResult], classes: Sequence[str], score_thr: float, style: DrawStyle
) -> Iterator[np.ndarray]:
    """Draw the frames of one video with their instances, as (H', W', 3) uint8 BGR.

    Instances with a score below ``score_thr`` are not drawn.
    """
    frames = ((each.image, drawn_objects(each, classes, score_thr)) for each in results)
    for image, objects in with_history(frames, style):
        yield draw_frame(image, objects, style)


class OverlaySink(ResultSink):
    """Writes an mp4 file of the frames with their instances.

    Args:
        path (Path): Path of the file.
        fps (float): Frames per second.
        classes (Sequence[str]): Names of the labels.
        score_thr (float): Instances with a lower score are not drawn.
        style (DrawStyle): Settings of the pictures.
    """

    def __init__(
        self, path: Path, fps: float, classes: Sequence[str], score_thr: float, style: DrawStyle
    ) -> None:
        self.path = path
        self.fps = fps
        self.classes = classes
        self.score_thr = score_thr
        self.style = style
        self._history = TrackHistory(style)
        self._open = ExitStack()
        self._writer: VideoWriter | None = None
        self._was_opened = False

    def write(self, result: FrameResult) -> None:
        """Draw a frame; the first one determines the size."""
        objects = drawn_objects(result, self.classes, self.score_thr)
        self._draw(self._history.push(result.image, objects))

    def close(self) -> None:
        """Draw the frame that waits for its neighbour and finish the file."""
        with self._open:
            self._draw(self._history.flush())

    def _draw(self, frames: Sequence[Frame]) -> None:
        for image, objects in frames:
            picture = draw_frame(image, objects, self.style)
            if not self._was_opened:
                self._was_opened = True  # once: later frames alone are not the video
                self._writer = self._open.enter_context(
                    open_video_writer(self.path, self.fps, picture.shape[:2])
                )
            if self._writer is not None:
                self._writer.write(picture)


class MaskSink(ResultSink):
    """Writes a PNG file for each frame, with a palette as in DAVIS.

    The value of a pixel is 0 for the background, else the track's id plus 1; where masks
    overlap, the instance with the higher score is visible. A frame with an id above 253 becomes
    a 16-bit greyscale image, since 8 bits do not hold its value (and 255 means "void").

    Args:
        folder (Path): Folder of ``00000.png`` and so on.
        score_thr (float): Instances with a lower score are left out.
    """

    def __init__(self, folder: Path, score_thr: float) -> None:
        self.folder = folder
        self.score_thr = score_thr
        self.num_frames = 0
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: FrameResult) -> None:
        """Write the picture of a frame."""
        tracks = result.sample.pred_track_instances.cpu().numpy()
        plane = np.zeros(result.image.shape[:2], dtype=np.int64)
        for row in np.argsort(tracks.scores, kind='stable'):
            if tracks.scores[row] >= self.score_thr:
                plane[tracks.masks[row].astype(bool)] = 1 + int(tracks.instances_id[row])
        write_mask_picture(self._path(result.frame_id), plane)
        self.num_frames += 1

    def close(self) -> None:
        """Remove the pictures of later frames that an earlier run left, and no others."""
        number = self.num_frames
        while number and is_mask_picture(self._path(number)):
            self._path(number).unlink()
            number += 1

    def _path(self, frame_id: int) -> Path:
        return self.folder / f'{frame_id:05d}.png'


class TrackSink(ResultSink):
    """Collects tracks: run-length encoded masks, boxes and votes.

    Args:
        name (str): Name of the video.
        classes (Sequence[str]): Names of the labels.
        category_ids (Sequence): Category id of each label.
    """

    def __init__(self, name: str, classes: Sequence[str], category_ids: Sequence[Any]) -> None:
        self.name = name
        self.classes = classes
        self.category_ids = category_ids
        self.results = VideoResults(name)
        self.boxes: dict[int, dict[int, list[float]]] = {}

    def write(self, result: FrameResult) -> None:
        """Encode the masks of a frame."""
        tracks = result.all_instances().cpu().numpy()
        ids = tracks.instances_id.tolist()
        masks = encode_masks(tracks.masks.astype(bool)) if ids else []
        height, width = result.image.shape[:2]
        self.results.add_frame(result.frame_id, (height, width), ids, masks)
        for track, box in zip(ids, tracks.bboxes.tolist()):
            self.boxes.setdefault(track, {})[result.frame_id] = box
        if result.votes is not None:
            votes = result.votes.cpu()
            self.results.lowest_of_ties = votes.get('class_ties') == 'lowest'
            self.results.add_votes(*(votes[name].tolist() for name in VOTE_FIELDS if name in votes))

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries of ``results.json`` of YouTube-VIS, best score first."""
        return self.results.finish(self.category_ids)

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each track, best score first.

        Returns:
            list[dict]: ``id``, ``label``, ``class``, ``score``, ``segmentations`` (RLE of each
            frame or None) and ``bboxes`` (xyxy in pixels of each frame or None).
        """
        return [
            {
                'id': track,
                'label': label,
                'class': self.classes[label],
                'score': score,
                'segmentations': masks,
                'bboxes': [self.boxes.get(track, {}).get(frame) for frame in range(len(masks))],
            }
            for track, label, score, masks in self.results.tracks(len(self.classes))
        ]
