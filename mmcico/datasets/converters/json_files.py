"""JSON files: read in any layout with other classes, and written in the layouts of other tools.

The layouts are YouTube-VIS, OVIS, CocoVID, TAO, BURST, and CVAT's export of COCO with track ids.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mmcico.formats.annotations import AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id, id_key
from mmcico.formats.problems import Problems
from mmcico.formats.read import read_annotations
from mmcico.formats.write import cocovid_data

from .class_maps import ClassTable
from .mask_writer import frame_folder, named_videos


def whole(key: Id) -> Id:
    """Return an id as a whole number where it is one, also as text.

    >>> whole('007'), whole(2.0), whole('dog')
    (7, 2, 'dog')
    """
    text = id_key(key)
    return int(text) if text.isdecimal() and len(text) < 4000 else key


def json_videos(
    data: dict,
    name: str,
    table: ClassTable,
    problems: Problems | None = None,
    crowds_as_objects: bool = False,
) -> Iterator[AnnotatedVideo]:
    """Yield the videos of parsed JSON, their objects with the category ids of the target.

    They are in the order of the file; ids that are numbers as text become numbers.
    ``crowds_as_objects`` takes ``iscrowd`` as 0.

    Raises:
        ValueError: If the file is not sound, or a class has no match.
    """
    file = read_annotations(data, name, problems=problems, crowds_as_objects=crowds_as_objects)
    table.match(data['categories'], name)
    for entry in table.categories:
        entry['id'] = whole(entry['id'])
    check_distinct([v.id for v in file.videos], 'video', name)
    check_distinct([e['id'] for e in table.categories], 'category', name)
    for video in file.videos:
        tracks = [
            replace(track, id=whole(track.id), category_id=whole(track.category_id))
            for track in table.kept(video)
        ]
        yield replace(video, id=whole(video.id), tracks=tracks)


def check_distinct(keys: list[Id], what: str, name: str) -> None:
    """Check that no two ids, such as '7' and '07', are the same number.

    Raises:
        ValueError: If two are; the message names the first pair.
    """
    seen: dict[Id, Id] = {}
    for key in keys:
        if whole(key) in seen:
            raise ValueError(
                f'{name}: {what} ids {seen[whole(key)]!r} and {key!r} are the same number; ids '
                'must be distinct'
            )
        seen[whole(key)] = key


def is_burst(data: Any) -> bool:
    """Return whether parsed JSON has the layout of BURST."""
    return isinstance(data, dict) and isinstance(data.get('sequences'), list)


def from_burst(data: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a parsed BURST file in the layout of YouTube-VIS, which the reader then checks.

    Raises:
        ValueError: If a sequence lacks a field.
    """
    videos: list[dict] = []
    annotations: list[dict] = []
    for number, sequence in enumerate(data['sequences'], start=1):
        try:
            folder = '/'.join(
                str(sequence[key]) for key in ('dataset', 'seq_name') if key in sequence
            )
            paths = sequence['annotated_image_paths']
            files = [posixpath.normpath(posixpath.join(folder, each)) for each in paths]
            size = dict(height=sequence['height'], width=sequence['width'])
            frames = list(sequence['segmentations'])
            classes = dict(sequence['track_category_ids'])
            masks = {
                key: [_burst_mask(frame.get(key), size) for frame in frames] for key in classes
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{name}: sequence no. {number - 1} is not as BURST writes it: {error!r}'
            ) from error
        videos.append(dict(id=number, length=len(files), file_names=files, **size))
        annotations += [
            dict(id=n, video_id=number, category_id=classes[key], segmentations=masks[key])
            for n, key in enumerate(classes, start=len(annotations) + 1)
        ]
    return dict(videos=videos, categories=data.get('categories'), annotations=annotations)


def _burst_mask(entry: Any, size: dict) -> dict | None:
    return None if entry is None else dict(size=[*size.values()], counts=entry['rle'])


def tao_data(file: AnnotationFile) -> dict[str, Any]:
    """Return a file in the layout of TAO: ``frame_index``, ``track_id`` and a list of tracks."""
    data = cocovid_data(file)
    for image in data['images']:
        image['frame_index'] = image.pop('frame_id')
    for each in data['annotations']:
        each['track_id'] = each.pop('instance_id')
    data['tracks'] = [
        dict(id=track.id, category_id=track.category_id, video_id=video.id)
        for video in file.videos
        for track in video.tracks
    ]
    return data


def cvat_coco_data(file: AnnotationFile) -> dict[str, Any]:
    """Return a file as CVAT exports tracks to COCO: track ids are attributes, no videos.

    Raises:
        ValueError: If videos are not folders, since they could not be told apart.
    """
    folders: dict[str, Id] = {}
    for video in file.videos:
        folder = frame_folder(video)
        if folders.setdefault(folder, video.id) != video.id:
            raise ValueError(
                f'{file.name}: videos {folders[folder]!r} and {video.id!r} have their frames '
                f'in one folder, {folder!r}, and CVAT would take them for one video; move the '
                'frames of each video to a folder of their own'
            )
    data = cocovid_data(file)
    for image in data['images']:
        del image['video_id'], image['frame_id']
    for each in data['annotations']:
        del each['video_id']
        each['attributes'] = dict(track_id=each.pop('instance_id'))
    del data['videos']
    return data


def burst_data(file: AnnotationFile) -> dict[str, Any]:
    """Return a file in the layout of BURST.

    Each sequence needs a name; frames without a folder lie above that of their sequence.
    """
    sequences = []
    for name, video in named_videos(file):
        paths = [posixpath.relpath(each, name) for each in video.file_names]
        frames: list[dict[str, dict]] = [{} for _ in paths]
        for number, track in enumerate(video.tracks, start=1):
            for frame, counts in enumerate(track.counts):
                if counts is not None:
                    frames[frame][str(number)] = dict(rle=counts.decode('ascii'), is_gt=True)
        tracks = {str(n): track.category_id for n, track in enumerate(video.tracks, start=1)}
        sequences.append(
            dict(
                id=video.id,
                seq_name=name,
                height=video.height,
                width=video.width,
                annotated_image_paths=paths,
                all_image_paths=paths,
                segmentations=frames,
                track_category_ids=tracks,
            )
        )
    categories = [dict(id=key, name=name) for key, name in file.categories]
    return dict(sequences=sequences, categories=categories)
