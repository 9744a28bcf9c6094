"""Defects of results, each of them, as evaluation servers would see them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmcico.utils.short_repr import short_repr

from .rle import Size, measure
from .tracks import Video, is_number
from .vis_json import GroundTruth

#: tracks that servers keep of a video and class, those of the best scores
MAX_TRACKS = 100
#: lists in messages are cut here
SHOWN = 10


@dataclass(frozen=True)
class Defect:
    """Something wrong.

    Attributes:
        kind (str): The same for defects of one sort.
        where (str): File, track, video, frames.
        text (str): What is wrong, with the value.
        is_error (bool): A server would refuse or misread it; otherwise it
            is something to think about.
        fixable (bool): Can be mended without a change of the result.
    """

    kind: str
    where: str
    text: str
    is_error: bool = True
    fixable: bool = False

    def __str__(self) -> str:
        level = 'error' if self.is_error else 'warning'
        return f'{level}: {self.where}: {self.text}'


def check_tracks(tracks: Any, truth: GroundTruth, name: str) -> Iterator[Defect]:
    """Defects of the content of ``results.json``.

    Args:
        tracks (list): The parsed JSON.
        truth (GroundTruth): Videos and categories of the server.
        name (str): Of the file, for messages.

    Yields:
        Defect: One for each track, field and value; frames of the same
        defect are put together.
    """
    if not isinstance(tracks, list):
        yield Defect('layout', name, f'holds a {type(tracks).__name__}, not a list of tracks')
        return
    if not tracks:
        yield Defect('layout', name, 'holds no track at all, which the official tools cannot read')
    kept: Counter = Counter()
    for index, track in enumerate(tracks):
        where = f'{name}: track {index}'
        if not isinstance(track, dict):
            yield Defect('layout', where, f'is {short_repr(track)}, not an object')
            continue
        place, defects = _check_ids(track, truth, where)
        yield from defects
        if not is_number(track.get('score')):
            yield Defect(
                'score',
                where,
                f'field score is {short_repr(track.get("score"))}, not a finite number',
            )
        video = None if place[0] is None else truth.videos[place[0]]
        yield from check_masks(track, video, where)
        kept[place] += 1
    yield from _check_counts(kept, truth, name)


def _check_ids(
    track: dict, truth: GroundTruth, where: str
) -> tuple[tuple[int | None, int | None], list[Defect]]:
    """Places of video and category in the ground truth, None if unknown."""
    places: list[int | None] = []
    defects = []
    for key, index, known in (
        ('video_id', truth.video_index, [v.id for v in truth.videos]),
        ('category_id', truth.category_index, [each[0] for each in truth.categories]),
    ):
        value = track.get(key)
        place = index.get(str(value))
        places.append(place)
        if place is None:
            defects.append(
                Defect(
                    key,
                    where,
                    f'field {key} is {short_repr(value)}, which '
                    f'{truth.name} does not have ({_some(known)})',
                )
            )
        elif type(value) is not type(known[place]):
            defects.append(
                Defect(
                    key, where, f'field {key} is {value!r}, but {truth.name} has {known[place]!r}'
                )
            )
    return (places[0], places[1]), defects


def _some(values: Sequence[Any]) -> str:
    """The first of many values."""
    text = ', '.join(str(each) for each in values[:SHOWN])
    more = f', ... {len(values)} in all' if len(values) > SHOWN else ''
    return f'ids {text}{more}'


def check_masks(track: dict, video: Video | None, where: str) -> Iterator[Defect]:
    """Defects of the masks of one track.

    Args:
        track (dict): Entry of ``results.json``.
        video (Video, optional): None if the video is not known; sizes and
            lengths are not checked then.
        where (str): File and track, for messages.
    """
    masks = track.get('segmentations')
    if video is not None:
        where += f' (video {video.id})'
    if not isinstance(masks, list):
        yield Defect('length', where, f'field segmentations is {short_repr(masks)}, not a list')
        return
    if video is not None and len(masks) != video.length:
        yield Defect(
            'length',
            where,
            f'field segmentations has {len(masks)} entries, the video has {video.length} frames',
        )
    frames: dict[tuple[str, str, bool], list[int]] = {}
    texts: dict[int, str] = {}
    for frame, mask in enumerate(masks):
        if mask is None:
            continue
        fault = mask_fault(mask, video and video.size)
        if fault is not None:
            frames.setdefault(fault, []).append(frame)
        else:
            texts[frame] = mask['counts']
    areas = _check_runs(texts, masks, frames)
    for (kind, text, fixable), found in frames.items():
        yield Defect(
            kind,
            f'{where}, frames {ranges(found)}',
            f'field segmentations: {text}',
            fixable=fixable,
        )
    if not frames and not areas:
        yield Defect(
            'empty',
            where,
            'no frame has a mask, so it counts as a false detection',
            is_error=False,
            fixable=True,
        )


def mask_fault(mask: Any, size: Size | None) -> tuple[str, str, bool] | None:
    """Kind, text and whether it can be mended, of a mask that is not null.

    Args:
        mask (Any): Entry of ``segmentations``.
        size (tuple[int, int], optional): Height and width of the video.

    Returns:
        tuple | None: None if it is compressed RLE of the right size; whether
        its runs fill the frame is not looked at.
    """
    if not isinstance(mask, dict) or not {'size', 'counts'} <= set(mask):
        return (
            'mask',
            (f'a {type(mask).__name__} without size and counts; write RLE or null'),
            False,
        )
    found, counts = mask['size'], mask['counts']
    if (
        not isinstance(found, list)
        or len(found) != 2
        or any(type(side) is not int for side in found)
    ):
        return (
            'size',
            (f'size is {short_repr(found)}, not two whole numbers [height, width]'),
            False,
        )
    if size is not None and found != [*size]:
        hint = (
            '; height and width are swapped'
            if found[::-1] == [*size]
            else '; masks are needed at the original size'
        )
        return 'size', (f'size is {found}, the video has {[*size]} (height, width){hint}'), False
    if isinstance(counts, list):
        usable = all(type(run) is int and run >= 0 for run in counts)
        filled = usable and sum(counts) == found[0] * found[1]
        return (
            'counts',
            (
                'counts is a list (uncompressed RLE), servers need a string'
                if filled
                else 'counts is a list of runs that do not fill the frame'
            ),
            filled,
        )
    if not isinstance(counts, str):
        return 'counts', f'counts is {short_repr(counts)}, not a string', False
    return None


def _check_runs(
    texts: dict[int, str], masks: list[Any], frames: dict[tuple[str, str, bool], list[int]]
) -> int:
    """Add frames whose runs do not fill them; pixels of all others."""
    if not texts:
        return 0
    areas, totals = measure(list(texts.values()))
    for frame, total in zip(texts, totals.tolist()):
        height, width = masks[frame]['size']
        if total != height * width:
            said = 'are broken' if total < 0 else f'describe {total} pixels'
            fault = ('counts', f'counts {said} instead of height x width = {height * width}', False)
            frames.setdefault(fault, []).append(frame)
    return int(areas.sum())


def ranges(frames: Sequence[int]) -> str:
    """Ascending numbers in short.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2, 5, 7-8'
    """
    parts: list[list[int]] = []
    for frame in frames:
        if parts and parts[-1][1] == frame - 1:
            parts[-1][1] = frame
        else:
            parts.append([frame, frame])
    return ', '.join(str(first) if first == last else f'{first}-{last}' for first, last in parts)


def _check_counts(kept: Counter, truth: GroundTruth, name: str) -> Iterator[Defect]:
    """Too many tracks of a video and class; videos without any."""
    for (video, category), count in kept.items():
        if video is None or category is None or count <= MAX_TRACKS:
            continue
        yield Defect(
            'number',
            f'{name}: video {truth.videos[video].id}, class {truth.categories[category][1]}',
            f'{count} tracks, servers keep the {MAX_TRACKS} of the best scores',
            fixable=True,
        )
    used = {video for video, _ in kept}
    without = [v.id for i, v in enumerate(truth.videos) if i not in used]
    if without:
        yield Defect(
            'missing',
            name,
            f'{len(without)} of {len(truth.videos)} videos have no track: {_some(without)}',
            is_error=False,
        )
