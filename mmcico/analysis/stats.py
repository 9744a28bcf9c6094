"""Statistics of an annotation file, as numbers and as text."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile
from mmcico.utils.tool import align_rows

#: mean areas at which the official tools change from small to medium to large
SMALL_BELOW, MEDIUM_UP_TO = 128**2, 256**2
#: number of sizes of videos that are listed
MOST_SIZES = 5


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Return the smallest, mean, median and largest value, None if there is none.

    >>> spread([1, 2, 6])
    {'min': 1.0, 'mean': 3.0, 'median': 2.0, 'max': 6.0}
    """
    array = np.asarray(list(values), dtype=float)
    parts: dict[str, Callable] = dict(min=np.min, mean=np.mean, median=np.median, max=np.max)
    return {name: float(part(array)) for name, part in parts.items()} if len(array) else None


def dataset_stats(file: AnnotationFile) -> dict[str, Any]:
    """Return all statistics of a file.

    Args:
        file (AnnotationFile): The file. Crowds are counted, and left out of all other numbers.

    Returns:
        dict: Values for JSON; see ``docs/en/dataset_tools.md``.
    """
    objects = [[t for t in video.tracks if not t.iscrowd] for video in file.videos]
    tracks = [track for group in objects for track in group]
    numbers = [track_stats(t, v) for v, group in zip(file.videos, objects) for t in group]
    lengths = [video.length for video in file.videos]
    per_frame = [
        sum(track.seen(frame) for track in group)
        for length, group in zip(lengths, objects)
        for frame in range(length)
    ]
    return dict(
        file=file.name,
        videos=len(file.videos),
        frames=sum(lengths),
        objects=len(tracks),
        masks=sum(each['seen'] for each in numbers),
        crowds=file.num_crowds,
        left_out=dict(file.left_out),
        videos_without_objects=sum(not group for group in objects),
        frames_without_objects=per_frame.count(0),
        length=spread(lengths),
        sizes=count_sizes(file.videos),
        objects_per_video=spread(map(len, objects)),
        objects_per_frame=spread(per_frame),
        classes=class_stats(file, objects),
        visibility=visibility_stats(numbers),
        occlusion=occlusion_words(tracks),
        area=area_stats(numbers),
    )


def track_stats(track: AnnotatedTrack, video: AnnotatedVideo) -> dict[str, Any]:
    """Return the statistics of one object.

    Returns:
        dict: ``seen`` is the number of frames that show it, ``share`` their share of the
        frames, ``gaps`` how often it is away and comes back, ``from_start`` and ``to_end``
        whether the first and last frame show it, ``area`` its mean area in pixels and
        ``area_share`` that as a share of the frame.
    """
    seen = np.array([counts is not None for counts in track.counts])
    places = np.flatnonzero(seen)
    area = float(np.mean(np.array(track.pixels)[seen])) if len(places) else None
    return dict(
        seen=len(places),
        share=float(seen.mean()),
        gaps=int((np.diff(places) > 1).sum()),
        from_start=bool(seen[0]),
        to_end=bool(seen[-1]),
        area=area,
        area_share=None if area is None else area / (video.height * video.width),
    )


def count_sizes(videos: Sequence[AnnotatedVideo]) -> list[dict[str, int]]:
    """Return the sizes of videos with their numbers of videos, the most frequent first."""
    count = Counter(video.size for video in videos)
    return [
        dict(height=height, width=width, videos=number)
        for (height, width), number in sorted(count.items(), key=lambda item: (-item[1], item[0]))
    ]


def class_stats(
    file: AnnotationFile, objects: Sequence[Sequence[AnnotatedTrack]]
) -> list[dict[str, Any]]:
    """Return the numbers of objects, videos and masks of each class, in the order of the file."""
    tracks: Counter[Any] = Counter()
    masks: Counter[Any] = Counter()
    videos: Counter[Any] = Counter()
    for group in objects:
        videos.update({track.category_id for track in group})
        for track in group:
            tracks[track.category_id] += 1
            masks[track.category_id] += sum(counts is not None for counts in track.counts)
    return [
        dict(id=key, name=name, objects=tracks[key], videos=videos[key], masks=masks[key])
        for key, name in file.categories
    ]


def visibility_stats(tracks: Sequence[dict]) -> dict[str, Any]:
    """Return in how many frames of their video objects are seen."""
    seen = [track for track in tracks if track['seen']]
    return dict(
        share_of_frames=spread(track['share'] for track in tracks),
        in_all_frames=sum(track['share'] == 1 for track in tracks),
        in_no_frame=len(tracks) - len(seen),
        come_back=sum(track['gaps'] > 0 for track in seen),
        enter_later=sum(not track['from_start'] for track in seen),
        leave_early=sum(not track['to_end'] for track in seen),
    )


def occlusion_words(tracks: Sequence[AnnotatedTrack]) -> dict[str, int]:
    """Return OVIS' words and their numbers of masks; empty if no track has the field."""
    count = Counter(
        word
        for track in tracks
        for frame, word in enumerate(track.occlusion or [])
        if word is not None and track.seen(frame)
    )
    return dict(sorted(count.items()))


def area_stats(tracks: Sequence[dict]) -> dict[str, Any]:
    """Return the mean areas of objects over the frames that show them."""
    areas = [track['area'] for track in tracks if track['seen']]
    return dict(
        pixels=spread(areas),
        share_of_frame=spread(track['area_share'] for track in tracks if track['seen']),
        small=sum(area < SMALL_BELOW for area in areas),
        medium=sum(SMALL_BELOW <= area <= MEDIUM_UP_TO for area in areas),
        large=sum(area > MEDIUM_UP_TO for area in areas),
    )


def spread_row(name: str, values: dict[str, float] | None, form: str = '.6g') -> list[str]:
    """Return a row of the smallest, mean, median and largest value."""
    return [name, *([format(each, form) for each in values.values()] if values else ['-'] * 4)]


def stats_text(stats: dict[str, Any]) -> str:
    """Return the statistics of :func:`dataset_stats` as tables."""
    areas, seen = stats['area'], stats['visibility']
    numbers = [key for key, value in stats.items() if isinstance(value, int)]
    counts = [[key.replace('_', ' '), str(stats[key])] for key in numbers]
    spreads = [
        ['', 'min', 'mean', 'median', 'max'],
        spread_row('frames of a video', stats['length']),
        spread_row('objects of a video', stats['objects_per_video']),
        spread_row('objects of a frame', stats['objects_per_frame']),
        spread_row('share of frames seen', seen['share_of_frames'], '.1%'),
        spread_row('mean area, pixels', areas['pixels'], '.0f'),
        spread_row('mean area of frame', areas['share_of_frame'], '.2%'),
    ]
    objects = [
        ['objects that', ''],
        ['are seen in all frames', str(seen['in_all_frames'])],
        ['are seen in no frame', str(seen['in_no_frame'])],
        ['enter after the first frame', str(seen['enter_later'])],
        ['leave before the last frame', str(seen['leave_early'])],
        ['leave and come back', str(seen['come_back'])],
        ['are small (below 128^2)', str(areas['small'])],
        ['are medium', str(areas['medium'])],
        ['are large (above 256^2)', str(areas['large'])],
    ]
    blocks = [
        [stats['file']] + align_rows(counts),
        size_lines(stats['sizes']),
        align_rows(spreads),
        align_rows(objects),
    ]
    for key, title in (('left_out', 'left out'), ('occlusion', 'masks by occlusion')):
        if stats[key]:
            rows = [[word, str(number)] for word, number in stats[key].items()]
            blocks.append(align_rows([[title, ''], *rows]))
    blocks.append(class_lines(stats['classes']))
    return '\n\n'.join('\n'.join(block) for block in blocks)


def size_lines(sizes: Sequence[dict]) -> list[str]:
    """Return the rows of the most frequent sizes."""
    rows = [['height x width', 'videos']]
    rows += [
        [f'{size["height"]} x {size["width"]}', str(size['videos'])] for size in sizes[:MOST_SIZES]
    ]
    rest = sizes[MOST_SIZES:]
    if rest:
        rows.append([f'{len(rest)} other sizes', str(sum(size['videos'] for size in rest))])
    return align_rows(rows)


def class_lines(classes: Sequence[dict]) -> list[str]:
    """Return the rows of classes, those with most objects first."""
    rows = [['class (id)', 'objects', 'videos', 'masks']]
    for each in sorted(classes, key=lambda one: -one['objects']):
        numbers = [str(each[key]) for key in rows[0][1:]]
        rows.append([f'{each["name"]} ({each["id"]})', *numbers])
    return align_rows(rows)
