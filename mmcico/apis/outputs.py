"""Where results of a video go: overlay video, masks, tracks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmcico.evaluation.video_results import VideoResults
from mmcico.formats.rle import encode_masks
from mmcico.visualization import DrawnObject, VideoWriter, open_video_writer, track_colour
from mmcico.visualization.history import Frame, TrackHistory, with_history
from mmcico.visualization.style import DrawStyle, draw_frame

from .clip_stream import FrameResult

#: colours of a palette image, the first being the background
PALETTE_SIZE = 256
#: index that readers of 8-bit pictures take for "not annotated"
VOID = 255
#: largest index of a picture of 16 bits
LARGEST_INDEX = 65535


class ResultSink(ABC):
    """Takes the frames of one video, in order."""

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take a frame.

        Raises:
            OSError: If it cannot be written.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish; what was taken so far is kept."""

    def __enter__(self) -> 'ResultSink':
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def drawn_objects(
    result: FrameResult, classes: Sequence[str], score_thr: float
) -> list[DrawnObject]:
    """Instances of a frame as the drawing functions want them.

    Args:
        result (FrameResult): The frame.
        classes (Sequence[str]): Names by label.
        score_thr (float): Instances below are left out.

    Returns:
        list[DrawnObject]: The worst scored first.
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
    """Frames of one video with their instances.

    Args:
        results (Iterable[FrameResult]): Frames in order.
        classes (Sequence[str]): Names by label.
        score_thr (float): Instances below are not drawn.
        style (DrawStyle): How they look.

    Yields:
        ndarray: (H', W', 3) uint8 BGR.
    """
    frames = ((result.image, drawn_objects(result, classes, score_thr)) for result in results)
    for image, objects in with_history(frames, style):
        yield draw_frame(image, objects, style)


class OverlaySink(ResultSink):
    """An mp4 of the frames with their instances on them.

    Args:
        path (Path): Of the file.
        fps (float): Frames a second.
        classes (Sequence[str]): Names by label.
        score_thr (float): Instances below are not drawn.
        style (DrawStyle): How they look.
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

    def write(self, result: FrameResult) -> None:
        """Draw a frame; the first one gives the size."""
        self._draw(
            self._history.push(result.image, drawn_objects(result, self.classes, self.score_thr))
        )

    def close(self) -> None:
        """Draw a frame that waits for its neighbour, finish the file."""
        with self._open:
            self._draw(self._history.flush())

    def _draw(self, frames: Sequence[Frame]) -> None:
        for image, objects in frames:
            picture = draw_frame(image, objects, self.style)
            if self._writer is None:
                self._writer = self._open.enter_context(
                    open_video_writer(self.path, self.fps, picture.shape[:2])
                )
            self._writer.write(picture)


def palette() -> list[int]:
    """RGB of each index: black, then the colours of tracks 0, 1, ..."""
    colours = [0, 0, 0]
    for track in range(PALETTE_SIZE - 1):
        colours += track_colour(track)[::-1]
    return colours


class MaskSink(ResultSink):
    """A PNG with a palette for each frame, as in DAVIS.

    The index is ``1 + id``, 0 is the background; where masks overlap, the
    instance with the better score shows. A frame with an id of 254 or more
    is a grey picture of 16 bits without a palette, since 255 means "not
    annotated" in pictures of 8 bits.

    Args:
        folder (Path): Where ``00000.png`` and so on go.
        score_thr (float): Instances below are left out.
    """

    def __init__(self, folder: Path, score_thr: float) -> None:
        self.folder = folder
        self.score_thr = score_thr
        self.num_frames = 0
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: FrameResult) -> None:
        """Write the picture of a frame.

        Raises:
            ValueError: If an id does not fit into 16 bits.
        """
        tracks = result.sample.pred_track_instances.cpu().numpy()
        plane = np.zeros(result.image.shape[:2], dtype=np.uint16)
        for row in np.argsort(tracks.scores, kind='stable'):
            if tracks.scores[row] >= self.score_thr:
                plane[tracks.masks[row].astype(bool)] = self._index(int(tracks.instances_id[row]))
        if plane.max(initial=0) < VOID:
            image = Image.fromarray(plane.astype(np.uint8))
            image.putpalette(palette())
        else:
            image = Image.fromarray(plane)
        path = self._path(result.frame_id)
        try:
            image.save(path)
        except OSError as error:
            raise OSError(f'cannot write the picture {path}: {error.strerror or error}') from error
        self.num_frames += 1

    def close(self) -> None:
        """Remove what an earlier run left after the last frame."""
        number = self.num_frames
        while number and self._path(number).is_file():
            self._path(number).unlink()
            number += 1

    def _index(self, track: int) -> int:
        if track >= LARGEST_INDEX:
            raise ValueError(
                f'masks {self.folder}: track {track} does not fit into a picture of 16 bits, which '
                f'holds tracks 0 to {LARGEST_INDEX - 1}; write tracks or results as JSON instead'
            )
        return 1 + track

    def _path(self, frame_id: int) -> Path:
        return self.folder / f'{frame_id:05d}.png'


class TrackSink(ResultSink):
    """Gathers tracks: run-length coded masks, boxes and votes.

    Args:
        name (str): Of the video.
        classes (Sequence[str]): Names by label.
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
        tracks = result.sample.pred_track_instances.cpu().numpy()
        ids = tracks.instances_id.tolist()
        masks = encode_masks(tracks.masks.astype(bool)) if ids else []
        size = tuple(result.image.shape[:2])
        self.results.add_frame(result.frame_id, size, ids, masks)
        for track, box in zip(ids, tracks.bboxes.tolist()):
            self.boxes.setdefault(track, {})[result.frame_id] = box
        if result.votes is not None:
            votes = result.votes.cpu()
            self.results.add_votes(
                votes.instances_id.tolist(), votes.scores.tolist(), votes.labels.tolist()
            )

    def close(self) -> None:
        """Nothing is open."""

    def entries(self) -> list[dict[str, Any]]:
        """Entries of ``results.json`` of YouTube-VIS, best first."""
        return self.results.finish(self.category_ids)

    def records(self) -> list[dict[str, Any]]:
        """A dict for each track, best first.

        Returns:
            list[dict]: ``id``, ``label``, ``class``, ``score``,
            ``segmentations`` (RLE of each frame or None) and ``bboxes``
            (xyxy in pixels of each frame or None).
        """
        found = []
        for track, label, score, masks in self.results.tracks(len(self.classes)):
            boxes = self.boxes.get(track, {})
            found.append(
                {
                    'id': track,
                    'label': label,
                    'class': self.classes[label],
                    'score': score,
                    'segmentations': masks,
                    'bboxes': [boxes.get(frame) for frame in range(len(masks))],
                }
            )
        return found
