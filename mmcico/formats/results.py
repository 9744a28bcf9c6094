"""Results of video instance segmentation, checked against annotations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .annotations import AnnotatedVideo, AnnotationFile
from .fields import as_id, id_key, is_number, known_ids, missing
from .masks import read_masks
from .problems import Place, Problems
from .results_files import load_results


@dataclass
class ResultTrack:
    """One predicted track.

    Attributes:
        video (int): Position of its video in the annotation file.
        category (int): Position of its class in the annotation file.
        score (float): A finite number.
        counts (list[bytes | None]): Compressed RLE counts, one entry a
            frame; None where nothing is seen. All of them are checked.
        pixels (list[int]): Areas of the masks, 0 where there is none.
        position (int): Position in the file.
    """

    video: int
    category: int
    score: float
    counts: list[bytes | None]
    pixels: list[int]
    position: int = -1


@dataclass
class ResultsFile:
    """A whole file of results.

    Attributes:
        name (str): Name of the file, for messages.
        tracks (list[ResultTrack]): Tracks in the order of the file. In
            collecting use, those of unknown videos and classes are missing.
        warnings (list[str]): What is allowed, but may be a mistake.
    """

    name: str
    tracks: list[ResultTrack]
    warnings: list[str] = field(default_factory=list)


def read_results(
    source: str | Path | list,
    truth: AnnotationFile,
    name: str | None = None,
    *,
    problems: Problems | None = None,
) -> ResultsFile:
    """Read results and check them against an annotation file.

    Args:
        source (str | Path | list): ``results.json``, a zip with it, parts of
            a test (a ``results.rank<r>.jsonl`` or the folder of all), or the
            list parsed from it.
        truth (AnnotationFile): Videos and categories.
        name (str, optional): Name of the file in messages.
        problems (Problems, optional): Gets what is wrong. Errors are raised
            when left out.

    Returns:
        ResultsFile: All tracks. One without any mask is kept: it counts as
        a false detection, as in the official tools.

    Raises:
        ValueError: In strict use, for the first error.
    """
    is_list = isinstance(source, list)
    problems = problems or Problems(name or ('results' if is_list else str(source)))
    entries: Any = source if isinstance(source, list) else load_results(source, problems)
    if not isinstance(entries, list):
        if not problems.is_refused:
            what = f'the file holds a {type(entries).__name__}, not a list of tracks'
            problems.error('layout', f'{what}; is it an annotation file?')
        entries = []
    groups: dict[int, list[tuple[ResultTrack, list]]] = {}
    reader = TrackReader(truth, problems)
    for number, entry in enumerate(entries):
        found = reader.read(entry, number)
        if found is not None:
            groups.setdefault(found[0].video, []).append(found)
    for position, group in groups.items():
        _read_frames(truth.videos[position], group, problems)
    tracks = [track for group in groups.values() for track, _ in group]
    tracks.sort(key=lambda track: track.position)
    return ResultsFile(problems.file, tracks, [each.text() for each in problems.found])


def _read_frames(
    video: AnnotatedVideo, group: Sequence[tuple[ResultTrack, list]], problems: Problems
) -> None:
    """Read the masks of all tracks of a video."""

    def where(row: int, frame: int) -> Place:
        track = group[row][0].position
        return video.place(frame).at(file=problems.file, track=track, field='segmentations')

    found = read_masks([masks for _, masks in group], video.size, where, problems)
    for (track, _), frames in zip(group, found):
        track.counts, track.pixels = frames.counts, frames.pixels


def video_folders(truth: AnnotationFile) -> dict[str, int]:
    """Return folders of frames -> positions of their videos; folders of several are left out.

    Predictions for folders of images name each video by its folder.
    """
    folders: dict[str, set[int]] = {}
    for i, video in enumerate(truth.videos):
        for folder in {PurePosixPath(name).parent for name in video.file_names}:
            for name in {folder.name, str(folder)} - {'', '.'}:
                folders.setdefault(name, set()).add(i)
    return {name: found.pop() for name, found in folders.items() if len(found) == 1}


class TrackReader:
    """Reader of the entries of a results file.

    Args:
        truth (AnnotationFile): Videos and categories.
        problems (Problems): Gets what is wrong.
    """

    def __init__(self, truth: AnnotationFile, problems: Problems) -> None:
        self.truth = truth
        self.problems = problems
        self.videos = {id_key(video.id): i for i, video in enumerate(truth.videos)}
        self.folders = video_folders(truth)
        self.categories = {id_key(key): i for i, (key, _) in enumerate(truth.categories)}

    def read(self, entry: Any, number: int) -> tuple[ResultTrack, list] | None:
        """Read one entry, but not its masks.

        Returns:
            tuple[ResultTrack, list] | None: The track and its
            ``segmentations``; None if it belongs nowhere.
        """
        problems, place = self.problems, self.problems.at(track=number)
        if not isinstance(entry, dict):
            problems.error('layout', 'is not an object with fields', place, entry)
            return None
        video = self._look_up(entry, 'video_id', self.videos, place)
        if video is not None:
            place = place.at(video=self.truth.videos[video].id)
        category = self._look_up(entry, 'category_id', self.categories, place)
        score: Any = entry.get('score')
        if not is_number(score):
            what = missing(entry, 'score') if score is None else 'is not a finite number'
            problems.error('score', f'{what}; a number is needed', place.at(field='score'), score)
            score = 0
        masks = self._masks(entry, video, place)
        if video is None or category is None or masks is None:
            return None
        return ResultTrack(video, category, float(score), [], [], number), masks

    def _look_up(self, entry: dict, key: str, table: dict[str, int], place: Place) -> int | None:
        value = as_id(entry.get(key))
        if value is not None and id_key(value) in table:
            return table[id_key(value)]
        if key == 'video_id' and value in self.folders:
            return self.folders[str(value)]
        what = f'{missing(entry, key)}; it must be' if entry.get(key) is None else 'is not'
        self.problems.error(
            'reference',
            f'{what} one of the {len(table)} in {self.truth.name} ({known_ids(table)}); do the '
            'files belong together?',
            place.at(field=key),
            entry.get(key),
        )
        return None

    def _masks(self, entry: dict, video: int | None, place: Place) -> list | None:
        masks, place = entry.get('segmentations'), place.at(field='segmentations')
        if not isinstance(masks, list):
            what = missing(entry, 'segmentations') if masks is None else 'is not a list'
            message = f'{what}; a list with one mask a frame is needed'
            self.problems.error('length', message, place, masks)
            return None
        length = len(masks) if video is None else self.truth.videos[video].length
        if len(masks) != length:
            self.problems.error(
                'length',
                f'has {len(masks)} entries, the video has {length} frames; give one a frame, '
                'null where the object is not seen',
                place,
            )
        return (masks + [None] * length)[:length]
