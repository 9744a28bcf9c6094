"""Submissions: what evaluation servers refuse, harmless corrections, and the zip."""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.formats import rle
from mmcico.formats.fields import id_key
from mmcico.formats.problems import Problem, Problems
from mmcico.formats.read import load_json
from mmcico.formats.results import ResultTrack, load_results, read_results
from mmcico.formats.write import write_results

from .ground_truth import GroundTruth, read_ground_truth
from .matching import MAX_TRACKS

PathLike = str | Path
#: lists in messages are cut here
SHOWN = 10
RUNS = 'counts are a list (uncompressed RLE); servers need a text'


def read_server_side(path: PathLike) -> GroundTruth:
    """Read videos and categories of the file that a server has, without the objects.

    Raises:
        ValueError: If the file is not usable.
    """
    data = load_json(path)
    if not isinstance(data, dict):
        raise ValueError(
            f'{path} holds a {type(data).__name__}, not an '
            'object with videos; are the two files swapped?'
        )
    return read_ground_truth(dict(data, annotations=None), str(path))


def read_submission(path: PathLike) -> tuple[Any, Problems]:
    """Return the content of a results file or a zip, and what is wrong with the file itself.

    Args:
        path (str | Path): ``results.json``, or a zip of it.

    Returns:
        tuple[Any, Problems]: The parsed JSON, None if there is none, and problems.

    Raises:
        ValueError: If a JSON file is missing or broken.
    """
    problems = Problems(str(path), collect=True)
    if Path(path).suffix.lower() != '.zip' and not Path(path).is_file():
        load_json(path)  # raises
    return load_results(path, problems), problems


def check_submission(path: PathLike, truth: GroundTruth) -> Problems:
    """Find everything that a server would refuse or misread.

    Args:
        path (str | Path): ``results.json``, or a zip of it.
        truth (GroundTruth): Videos and categories, from ``read_server_side``.

    Returns:
        Problems: Problems of the file and of its tracks.
    """
    tracks, problems = read_submission(path)
    return problems if tracks is None else check_tracks(tracks, truth, str(path), problems)


def check_tracks(
    tracks: Any, truth: GroundTruth, name: str, problems: Problems | None = None
) -> Problems:
    """Find everything that is wrong with the content of ``results.json``.

    The reader of ``mmcico.formats`` finds what no program can use; the rules of the servers are
    checked here.

    Args:
        tracks (Any): The parsed JSON.
        truth (GroundTruth): Videos and categories of the server.
        name (str): Name of the file, for messages.
        problems (Problems, optional): Gets the problems.

    Returns:
        Problems: All problems.
    """
    problems = problems or Problems(name, collect=True)
    if not isinstance(tracks, list):
        what = f'the file holds a {type(tracks).__name__}, not a list of tracks'
        problems.error('layout', what)
        return problems
    if not tracks:
        problems.defect('layout', 'holds no track at all, which the official tools cannot read')
    problems.checked = dict(tracks=len(tracks))
    found, refused = _read(tracks, truth, name, problems)
    broken = {(each.place.track, each.place.frame) for each in problems.found if each.refused}
    for number, track in enumerate(tracks):
        if isinstance(track, dict):
            _check_forms(track, number, truth, broken, problems)
    for each in found:
        if each.position not in refused and not any(each.pixels):
            message = 'no frame has a mask, so it counts as a false detection'
            problems.warn('empty', message, problems.at(track=each.position), fixable=True)
    for (video, category), number in Counter((each.video, each.category) for each in found).items():
        if number > MAX_TRACKS:
            problems.defect(
                'number',
                f'{number} tracks of class {truth.file.categories[category][1]}, servers keep the '
                f'{MAX_TRACKS} with the best scores',
                truth.file.videos[video].place().at(file=name),
                fixable=True,
            )
    used = {each.video for each in found}
    without = [str(video.id) for i, video in enumerate(truth.file.videos) if i not in used]
    if without:
        shown = ', '.join(without[:SHOWN]) + (', ...' if len(without) > SHOWN else '')
        message = f'{len(without)} of {len(truth.videos)} videos have no track: ids {shown}'
        problems.warn('empty', message)
    return problems


def _read(
    tracks: list, truth: GroundTruth, name: str, problems: Problems
) -> tuple[list[ResultTrack], set[int | None]]:
    """Return the tracks that can be read, and the positions of all that have errors."""
    found = read_results(tracks, truth.file, name, problems=problems).tracks
    return found, {each.place.track for each in problems.found if each.refused}


def _check_forms(
    track: dict, number: int, truth: GroundTruth, broken: Container, problems: Problems
) -> None:
    """Check the forms that our reader accepts but servers do not."""
    place = problems.at(track=number)
    video = truth.video_index.get(id_key(track.get('video_id')))
    category = truth.category_index.get(id_key(track.get('category_id')))
    own = dict(
        video_id=None if video is None else truth.videos[video].id,
        category_id=None if category is None else truth.categories[category][0],
    )
    for key, known in own.items():
        if known is None and (number, None) not in broken:
            message = f'is a folder, but servers need one of the ids in {truth.name}'
        elif known is not None and type(track.get(key)) is not type(known):
            message = f'{truth.name} has {known!r}; write it in the same form'
        else:
            continue
        problems.defect('reference', message, place.at(field=key), track.get(key))
    masks = track.get('segmentations')
    for frame, mask in enumerate(masks if isinstance(masks, list) else []):
        fault = '' if (number, frame) in broken else _form(mask)
        if fault:
            where = place.at(frame=frame, field='segmentations')
            problems.defect('mask', fault, where, fixable=fault == RUNS)


def _form(mask: Any) -> str:
    """Return why servers refuse the form of a mask, '' if they do not."""
    if isinstance(mask, list):
        return 'the mask is polygons; servers need RLE or null'
    if not isinstance(mask, dict):
        return ''
    size = mask.get('size')
    if isinstance(size, list) and any(type(side) is not int for side in size):
        return f'size is {size}, not two whole numbers [height, width]'
    if isinstance(mask.get('counts'), list):
        return RUNS
    return ''


def problem_lines(found: Sequence[Problem]) -> list[str]:
    """Return a line for each problem; the same problem of several frames is one line.

    Args:
        found (Sequence[Problem]): Problems of a submission.
    """
    frames: dict[str, list[int]] = {}
    for each in found:
        same = replace(each, place=each.place.at(frame=None, file_name=None)).line()
        frames.setdefault(same, []).extend([] if each.place.frame is None else [each.place.frame])
    return [
        f'{line} (frames {ranges(numbers)})' if numbers else line
        for line, numbers in frames.items()
    ]


def ranges(frames: Sequence[int]) -> str:
    """Abbreviate ascending numbers.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2, 5, 7-8'
    """
    parts = np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1)
    return ', '.join(f'{run[0]}' if len(run) == 1 else f'{run[0]}-{run[-1]}' for run in parts)


def fix_tracks(tracks: Sequence[Any], truth: GroundTruth) -> tuple[list[Any], list[str]]:
    """Correct problems that do not change the results; the check reports all others.

    - Uncompressed ``counts`` become text.
    - Tracks without a pixel, which can only count as false, are left out.
    - Of more than 100 tracks of a video and class, the 100 with the best scores stay in their
      order, as servers cut them themselves.

    Args:
        tracks (Sequence): Entries of ``results.json``, which are not changed.
        truth (GroundTruth): Videos and categories of the server.

    Returns:
        tuple[list, list[str]]: New entries, and a line for each kind of change.
    """
    said = []
    pairs = [_with_texts(track) for track in tracks]
    compressed = sum(number for _, number in pairs)
    if compressed:
        said.append(f'{compressed} masks: counts written as text')
    entries = [track for track, _ in pairs]
    problems = Problems('results', collect=True)
    found, refused = _read(entries, truth, 'results', problems)
    sound = [each for each in found if each.position not in refused]
    empty = {each.position for each in sound if not any(each.pixels)}
    if empty:
        said.append(f'{len(empty)} tracks without any mask left out')
    kept: Counter = Counter()
    cut = set()
    for each in sorted(sound, key=lambda each: -each.score):  # stable, as in the official tools
        if each.position not in empty:
            kept[each.video, each.category] += 1
            if kept[each.video, each.category] > MAX_TRACKS:
                cut.add(each.position)
    if cut:
        said.append(
            f'{len(cut)} tracks beyond the {MAX_TRACKS} with the best scores of a video and class '
            'left out'
        )
    return [track for i, track in enumerate(entries) if i not in empty | cut], said


def _with_texts(track: Any) -> tuple[Any, int]:
    """Return a track with sound lists of runs as texts, and their number."""
    if not isinstance(track, dict) or not isinstance(track.get('segmentations'), list):
        return track, 0
    masks = list(track['segmentations'])
    number = 0
    for frame, mask in enumerate(masks):
        if isinstance(mask, dict) and isinstance(mask.get('counts'), list):
            try:
                height, width = mask['size']
                runs = rle.runs_of_list(mask['counts'])
                rle.check_runs(runs, (height, width))
            except (KeyError, TypeError, ValueError):
                continue
            counts = rle.compress_runs(runs, (height, width)).decode('ascii')
            masks[frame] = dict(mask, counts=counts)
            number += 1
    return (dict(track, segmentations=masks) if number else track), number


def write_submission(path: PathLike, tracks: Sequence[dict]) -> int:
    """Write the zip; the same tracks give the same bytes.

    Args:
        path (str | Path): File that ends in ``.zip``; replaced if it exists.
        tracks (Sequence[dict]): Entries of ``results.json``.

    Returns:
        int: Bytes of the zip.

    Raises:
        ValueError: If the name does not end in ``.zip``.
    """
    path = Path(path)
    if path.suffix.lower() != '.zip':
        raise ValueError(f'{path}: the servers want a name that ends in .zip')
    write_results(path, tracks)
    return path.stat().st_size
