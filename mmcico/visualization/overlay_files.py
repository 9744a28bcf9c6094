"""Annotation and results files read as overlays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmcico.datasets.fields import id_key
from mmcico.datasets.video_annotations import AnnotatedVideo, AnnotationFile
from mmcico.evaluation.matching import best_pairs, video_iou
from mmcico.evaluation.tracks import Track
from mmcico.evaluation.vis_json import GroundTruth, Tracks, read_ground_truth, read_results
from mmcico.utils.json_file import load_json

from .overlays import DrawnTrack, Overlay, PathLike

#: tracks that overlap less, over space and time, are not the same object
LEAST_IOU = 0.1
#: category and track
Member = tuple[int, Track]


def load_overlays(
    annotations: PathLike,
    results: PathLike | Mapping[str, PathLike] | None = None,
    score_thr: float = 0.3,
    side_by_side: bool = False,
) -> list[Overlay]:
    """Read what is to be drawn.

    Args:
        annotations: File in the layout of YouTube-VIS; its objects are drawn if there are no
            ``results``.
        results: ``results.json`` in the layout of YouTube-VIS, or several by their titles.
        score_thr: Results with a lower score are left out.
        side_by_side: Whether to draw the ground truth beside the results.

    Returns:
        One overlay for each video of ``annotations``, in its order. Tracks of all files have
        the numbers of the ground truth, or else of the first results; see
        :func:`shared_numbers`.

    Raises:
        ValueError: If a file is not usable, or has no ground truth although it is to be drawn.
    """
    content = load_json(annotations)
    truth = read_ground_truth(content, str(annotations))
    if results is not None and not isinstance(results, Mapping):
        results = dict(results=results)
    files = {
        title: _by_video(read_results(path, truth), score_thr)
        for title, path in (results or {}).items()
    }
    with_truth = not files or side_by_side
    if with_truth and not truth.has_annotations:
        raise ValueError(
            f'{annotations} has no annotations to draw; give a results file, without --side-by-side'
        )
    objects = _by_video(truth.tracks)
    entries = {str(entry['id']): entry for entry in content['videos']}
    overlays = []
    for index, video in enumerate(truth.videos):
        entry = entries[str(video.id)]
        # the ground truth gives the numbers, shown or not
        shown, *found = _drawn_tracks(
            [each.get(index, []) for each in (objects, *files.values())], truth, video.size
        )
        panels = list(zip(files, found))
        if with_truth:
            panels.append(('ground truth', shown))
        overlays.append(
            Overlay(
                name=str(video.id),
                file_names=_file_names(entry, video.length, annotations),
                size=video.size,
                panels=panels,
            )
        )
    return _with_names(overlays)


def _file_names(entry: dict[str, Any], length: int, annotations: PathLike) -> list[str]:
    names = entry.get('file_names')
    if not isinstance(names, list) or len(names) != length:
        raise ValueError(
            f'{annotations}: video {entry["id"]}: field file_names is not a list of {length} names'
        )
    return names


def _by_video(tracks: Tracks, score_thr: float = 0.0) -> dict[int, list[Member]]:
    """Return categories and tracks of each video, all by position."""
    found: dict[int, list[Member]] = {}
    for (video, category), members in tracks.items():
        found.setdefault(video, []).extend(
            (category, each) for each in members if each.score >= score_thr
        )
    return found


def _drawn_tracks(
    files: Sequence[Sequence[Member]], truth: GroundTruth, size: tuple[int, int]
) -> list[list[DrawnTrack]]:
    """Return the tracks of a video in each file; the first one, ground truth, has no scores."""
    numbers = shared_numbers([[track for _, track in members] for members in files], size)
    return [
        [
            DrawnTrack(
                number, truth.categories[category][1], track.score if place else None, track.masks
            )
            for number, (category, track) in zip(own, members)
        ]
        for place, (own, members) in enumerate(zip(numbers, files))
    ]


def shared_numbers(
    files: Sequence[Sequence[Track]], size: tuple[int, int], least: float = LEAST_IOU
) -> list[list[int]]:
    """Number the tracks of a video in several files, so that an object has one number in all.

    The tracks of the first file are 0, 1, 2 and so on. A track of another file takes the number
    of its partner in the first file, or else of its partner among the tracks that were new in
    the second file, the third file and so on, or else the next free number. Partners are found
    one to one by overlap, whatever their categories.

    Args:
        files: Tracks of each file.
        size: Height and width of the video.
        least: Tracks with a lower IoU over space and time are not partners.

    Returns:
        Numbers of the tracks of each file, without repetition in a file.
    """
    known: list[tuple[list[Track], list[int]]] = []
    answer, free = [], 0
    for tracks in files:
        numbers = [-1] * len(tracks)
        left = list(range(len(tracks)))
        for others, theirs in known:
            iou = video_iou([tracks[place] for place in left], others, size)
            for row, col in best_pairs(iou, least):
                numbers[left[row]] = theirs[col]
            left = [place for place in left if numbers[place] < 0]
        new = list(range(free, free + len(left)))
        for place, number in zip(left, new):
            numbers[place] = number
        known.append(([tracks[place] for place in left], new))
        free += len(left)
        answer.append(numbers)
    return answer


def annotation_overlays(file: AnnotationFile, wanted: Sequence[str] | None = None) -> list[Overlay]:
    """Return the videos of an annotation file with all their objects and their own ids.

    Args:
        file (AnnotationFile): The file.
        wanted (Sequence[str], optional): Ids or names of videos; all by default.

    Returns:
        list[Overlay]: Overlays in the order of ``wanted``, or of the file.

    Raises:
        ValueError: If there is no such video.
    """
    names = {id_key(key): name for key, name in file.categories}
    overlays = _with_names([_annotated(video, names) for video in file.videos])
    return chosen(overlays, wanted, [id_key(video.id) for video in file.videos], file.name)


def chosen(
    overlays: Sequence[Overlay], wanted: Sequence[str] | None, keys: Sequence[str], file: str
) -> list[Overlay]:
    """Return the wanted overlays.

    Args:
        overlays (Sequence[Overlay]): Overlays of a file.
        wanted (Sequence[str], optional): Keys or names; all by default.
        keys (Sequence[str]): A key of each overlay.
        file (str): Name of the file, for messages.

    Raises:
        ValueError: If there is no such video.
    """
    known = {**dict(zip(keys, overlays)), **{each.name: each for each in overlays}}
    missing = [key for key in wanted or () if key not in known]
    if missing:
        first = ', '.join(each.name for each in overlays[:5])
        raise ValueError(
            f'{file} has no video {", ".join(missing)}; it has {len(overlays)}, the first ones '
            f'are {first}'
        )
    return [known[key] for key in wanted] if wanted else list(overlays)


def _annotated(video: AnnotatedVideo, names: dict[str, str]) -> Overlay:
    """Return a video whose objects show the ids of the file, or positions if ids are text."""
    tracks = []
    for place, track in enumerate(video.tracks):
        number = track.id if isinstance(track.id, int) else None
        name = names[id_key(track.category_id)] + (' crowd' if track.iscrowd else '')
        tracks.append(
            DrawnTrack(
                track_id=place if number is None else number,
                name=name if number is not None else f'({track.id}) {name}',
                score=None,
                masks=track.counts,
            )
        )
    return Overlay(
        name=id_key(video.id),
        file_names=video.file_names,
        size=(video.height, video.width),
        panels=[('ground truth', tracks)],
    )


def _with_names(overlays: Sequence[Overlay]) -> list[Overlay]:
    """Name videos after the folders of their frames, if these differ."""
    folders = [Path(o.file_names[0]).parent.as_posix().replace('/', '_') for o in overlays]
    return [
        replace(
            overlay,
            name=folder
            if folder not in ('', '.') and folders.count(folder) == 1
            else f'video_{overlay.name}',
        )
        for overlay, folder in zip(overlays, folders)
    ]
