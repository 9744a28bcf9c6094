"""Writers of annotation and results files; a file is written whole or not at all."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mmcico.utils.files import whole_file

from .annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile
from .results import RESULTS
from .rle import as_json

# with a fixed date, equal results give equal files
NO_DATE = (1980, 1, 1, 0, 0, 0)


def write_json(path: str | Path, data: dict | list, indent: int | None = None) -> None:
    """Write JSON, one line per entry of a list.

    Args:
        path (str | Path): The file; folders above it are created.
        data (dict | list): The content; NaN is refused.
        indent (int, optional): As of ``json.dumps``, for small files.

    Raises:
        OSError: If it cannot be written; a file that was there stays.
        ValueError: If the content is no JSON.
    """
    with whole_file(Path(path)) as file:
        for text in _pieces(data, indent):
            file.write(text.encode('utf-8'))


def _pieces(data: dict | list, indent: int | None) -> Iterator[str]:
    """Yield JSON in pieces, so that the whole text is never in memory."""
    if indent is not None:
        yield json.dumps(data, indent=indent, allow_nan=False) + '\n'
    elif isinstance(data, dict):
        yield '{'
        for number, (key, value) in enumerate(data.items()):
            yield (',\n' if number else '') + json.dumps(key) + ': '
            if isinstance(value, list):
                yield from _pieces(value, None)
            else:
                yield json.dumps(value, allow_nan=False)
        yield '}\n'
    else:
        yield '['
        for number, entry in enumerate(data):
            yield (',\n' if number else '') + json.dumps(entry, allow_nan=False)
        yield ']'


def youtube_vis_data(file: AnnotationFile) -> dict[str, Any]:
    """Return a file in the layout of YouTube-VIS, as JSON can hold it.

    Tracks get the numbers from 1 on as ids, since CocoVID's are unique in their video alone.
    """
    annotations = [_track_data(video, track) for video in file.videos for track in video.tracks]
    if file.layout != 'youtube_vis':
        for number, annotation in enumerate(annotations, 1):
            annotation['id'] = number
    return dict(
        videos=[
            dict(id=video.id, **_size(video), length=video.length, file_names=video.file_names)
            for video in file.videos
        ],
        categories=[dict(id=key, name=name) for key, name in file.categories],
        annotations=annotations,
    )


def _size(video: AnnotatedVideo) -> dict[str, int]:
    return dict(height=video.height, width=video.width)


def _track_data(video: AnnotatedVideo, track: AnnotatedTrack) -> dict[str, Any]:
    found: dict[str, Any] = dict(
        id=track.id,
        video_id=video.id,
        category_id=track.category_id,
        iscrowd=int(track.iscrowd),
        **_size(video),
        length=video.length,
        segmentations=[as_json(counts, video.size) for counts in track.counts],
        bboxes=[_box(video, track, frame) for frame in range(video.length)],
        areas=[area or None for area in track.pixels],
    )
    return found if track.occlusion is None else dict(found, occlusion=track.occlusion)


def _box(video: AnnotatedVideo, track: AnnotatedTrack, frame: int) -> list[float] | None:
    """Return ``[x, y, w, h]``: to the digit as stated, or that of the mask."""
    if not track.seen(frame):
        return None
    stated = track.bboxes[frame]
    if stated is not None and stated[2] > 0 and stated[3] > 0:
        return [*stated]
    x1, y1, x2, y2 = track.box(frame, video.size)
    return [x1, y1, x2 - x1, y2 - y1]


def cocovid_data(file: AnnotationFile) -> dict[str, Any]:
    """Return a file in the layout of CocoVID, as JSON can hold it."""
    videos: list[dict] = []
    images: list[dict] = []
    annotations: list[dict] = []
    for video in file.videos:
        folder = str(PurePosixPath(video.file_names[0]).parent) if video.file_names else '.'
        name = str(video.id) if folder == '.' else folder
        videos.append(dict(id=video.id, name=name, length=video.length, **_size(video)))
        first = len(images) + 1
        for frame, file_name in enumerate(video.file_names):
            image = dict(id=first + frame, video_id=video.id, frame_id=frame, file_name=file_name)
            images.append(dict(image, **_size(video)))
        for track in video.tracks:
            for frame in filter(track.seen, range(video.length)):
                annotation = _object_data(video, track, frame)
                number = len(annotations) + 1
                annotations.append(dict(id=number, image_id=first + frame, **annotation))
    return dict(
        videos=videos,
        categories=[dict(id=key, name=name) for key, name in file.categories],
        images=images,
        annotations=annotations,
    )


def _object_data(video: AnnotatedVideo, track: AnnotatedTrack, frame: int) -> dict[str, Any]:
    found = dict(
        video_id=video.id,
        category_id=track.category_id,
        instance_id=track.id,
        iscrowd=int(track.iscrowd),
        segmentation=as_json(track.counts[frame], video.size),
        bbox=_box(video, track, frame),
        area=track.pixels[frame],
    )
    return found if track.occlusion is None else dict(found, occlusion=track.occlusion[frame])


def write_results(path: str | Path, tracks: Iterable[dict]) -> None:
    """Write ``results.json``, or a zip with it if the name ends in ``.zip``.

    The same tracks give the same bytes.

    Args:
        path (str | Path): The file.
        tracks (Iterable[dict]): Entries with ``video_id``, ``score``, ``category_id`` and
            ``segmentations``.

    Raises:
        OSError: If it cannot be written; a file that was there stays.
        ValueError: If an entry is no JSON.
    """
    tracks = list(tracks)
    if Path(path).suffix.lower() != '.zip':
        write_json(path, tracks)
        return
    entry = zipfile.ZipInfo(RESULTS, NO_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with (
        whole_file(Path(path)) as file,
        zipfile.ZipFile(file, 'w') as archive,
        archive.open(entry, 'w') as member,
    ):
        for text in _pieces(tracks, None):
            member.write(text.encode('utf-8'))
