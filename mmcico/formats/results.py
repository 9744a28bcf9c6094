"""Results of video instance segmentation, read from files and checked against annotations.

A file of results is JSON, a zip with it, or a part of a test: ``results.rank<r>.jsonl`` has one
line per finished video, ``{"video_id": ..., "results": [...]}``.
"""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .annotations import AnnotatedVideo, AnnotationFile
from .fields import as_id, id_key, id_order, is_number, look_up, missing, read_masks_list
from .masks import read_masks
from .problems import Place, Problems
from .read import load_json, parse_json
from .results_zip import RESULTS, read_zip


@dataclass
class ResultTrack:
    """One predicted track.

    Attributes:
        video (int): Position of its video in the annotation file.
        category (int): Position of its class in the annotation file.
        score (float): A finite number.
        counts (list[bytes | None]): Compressed RLE counts, one entry per frame, all of them
            checked; None for frames in which nothing is seen.
        pixels (list[int]): Areas of the masks, 0 for frames without a mask.
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
        tracks (list[ResultTrack]): Tracks in the order of the file. In collecting use, those of
            unknown videos and classes are missing.
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
        source (str | Path | list): ``results.json``, a zip with it, parts of a test (a
            ``results.rank<r>.jsonl`` or the folder of all), or the list parsed from it.
        truth (AnnotationFile): Videos and categories.
        name (str, optional): Name of the file in messages.
        problems (Problems, optional): Gets what is wrong. Errors are raised when left out.

    Returns:
        ResultsFile: All tracks. One without any mask is kept: it counts as a false detection, as in
        the official tools.

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
    videos = {id_key(video.id): i for i, video in enumerate(truth.videos)}
    texts = {key: i for key, i in videos.items() if isinstance(truth.videos[i].id, str)}
    folders = {**videos, **_video_folders(truth), **texts}
    categories = {id_key(key): i for i, (key, _) in enumerate(truth.categories)}
    tables = dict(videos=videos, folders=folders, categories=categories)
    for number, entry in enumerate(entries):
        found = _read_track(entry, number, truth, tables, problems)
        if found is not None:
            groups.setdefault(found[0].video, []).append(found)
    ids = [entry.get('video_id') for entry in entries if isinstance(entry, dict)]
    for text in sorted({each for each in ids if isinstance(each, str)}):
        if text in videos and folders[text] != videos[text]:
            message = 'is taken as the folder of a video; it is the number of another one, too'
            problems.warn('video', message, problems.at(field='video_id'), text)
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


def _video_folders(truth: AnnotationFile) -> dict[str, int]:
    """Return folders of frames -> positions of their videos; folders of several are left out.

    Predictions for folders of images name each video by its folder.
    """
    folders: dict[str, set[int]] = {}
    for i, video in enumerate(truth.videos):
        for folder in {PurePosixPath(name).parent for name in video.file_names}:
            for name in {folder.name, str(folder)} - {'', '.'}:
                folders.setdefault(name, set()).add(i)
    return {name: found.pop() for name, found in folders.items() if len(found) == 1}


def _read_track(
    entry: Any,
    number: int,
    truth: AnnotationFile,
    tables: dict[str, dict[str, int]],
    problems: Problems,
) -> tuple[ResultTrack, list] | None:
    """Return a track without its masks and its ``segmentations``, None if it belongs nowhere."""
    place = problems.at(track=number)
    if not isinstance(entry, dict):
        problems.error('layout', 'is not an object with fields', place, entry)
        return None
    known = tables['folders' if isinstance(entry.get('video_id'), str) else 'videos']
    video = look_up(entry, 'video_id', known, 'videos', place, problems, truth.name)
    if video is not None:
        place = place.at(video=truth.videos[video].id)
    known = tables['categories']
    category = look_up(entry, 'category_id', known, 'categories', place, problems, truth.name)
    score: Any = entry.get('score')
    if not is_number(score):
        what = missing(entry, 'score') if score is None else 'is not a finite number'
        problems.error('score', f'{what}; a number is needed', place.at(field='score'), score)
        score = 0
    length = None if video is None else truth.videos[video].length
    masks = read_masks_list(entry, length, place, problems)
    if video is None or category is None or masks is None:
        return None
    return ResultTrack(video, category, float(score), [], [], number), masks


def load_results(path: str | Path, problems: Problems) -> Any:
    """Return the JSON of results: JSON, zip, part or folder of parts; None after an error."""
    path = Path(path)
    try:
        parts = {} if path.suffix != '.jsonl' else {0: path}
        if path.is_dir():
            path = path / RESULTS
            parts = _newer_parts(path, problems)
        if parts:
            records = unique_records(each for part in parts.values() for each in read_part(part))
            return [track for record in records for track in record['results']]
        if path.suffix.lower() == '.zip' or (path.is_file() and zipfile.is_zipfile(path)):
            return read_zip(path, problems)
        return load_json(path)
    except ValueError as error:
        if not problems.collect:
            raise
        problems.error('layout', str(error))
    return None


def _newer_parts(whole: Path, problems: Problems) -> dict[int, Path]:
    """Return the parts beside a file of results that are to be read instead as they are newer.

    Raises:
        ValueError: If there is neither.
    """
    parts = find_parts(whole.parent)
    if whole.is_file():
        written = whole.stat().st_mtime_ns
        found = [part.stat() for part in parts.values()]
        if not any(each.st_size and each.st_mtime_ns > written for each in found):
            return {}
        message = f'{whole} is older than the parts of an interrupted test, which are read instead'
        problems.warn('layout', message)
    elif not parts:
        raise ValueError(f'{whole.parent} has no {RESULTS} and no results.rank<r>.jsonl')
    return parts


def find_parts(outdir: str | Path) -> dict[int, Path]:
    """Return the parts in a folder, by rank."""
    parts = {}
    for path in Path(outdir).glob('results.rank*.jsonl'):
        rank = path.name[len('results.rank') : -len('.jsonl')]
        if rank.isdecimal():
            parts[int(rank)] = path
    return dict(sorted(parts.items()))


def read_part(path: Path) -> list[dict[str, Any]]:
    """Return the finished videos of a part.

    The video of a last line without its end is left out: the test stopped while writing it.

    Raises:
        ValueError: If the file cannot be read or another line is broken.
    """
    if not path.is_file():
        raise ValueError(f'{path} cannot be read: there is no such file')
    records = []
    with path.open('rb') as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b'\n'):
                break
            where = f'{path}: line {number}'
            record = parse_json(line, where)
            if not isinstance(record, dict) or as_id(record.get('video_id')) is None:
                raise ValueError(f'{where} is not an object with video_id and results')
            if not isinstance(record.get('results'), list):
                raise ValueError(f"{where}: field 'results' is not a list of tracks")
            records.append(record)
    return records


def unique_records(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one record a video, in the order of ids; the first one counts."""
    first: dict[str, dict[str, Any]] = {}
    for record in records:
        first.setdefault(id_key(record['video_id']), record)
    return sorted(first.values(), key=lambda each: id_order(each['video_id']))
