"""Annotation and results files read as overlays."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmcico.evaluation.ground_truth import Track
from mmcico.evaluation.matching import best_pairs, video_iou
from mmcico.formats.annotations import AnnotatedTrack, AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id, id_key
from mmcico.formats.read import read_annotations
from mmcico.formats.results import ResultTrack, read_results
from mmcico.utils.files import distinct

from .overlays import DrawnTrack, Overlay, Panel, PathLike

#: tracks that overlap less, over space and time, are not the same object
LEAST_IOU = 0.1


def load_overlays(
    annotations: PathLike,
    results: PathLike | Mapping[str, PathLike] | None = None,
    score_thr: float = 0.3,
    side_by_side: bool = False,
) -> list[Overlay]:
    """Read what is to be drawn: one overlay for each video of an annotation file, in its order.

    Tracks of all files have the numbers of the ground truth, or else of the first results; see
    :func:`shared_numbers`.

    Args:
        annotations: YouTube-VIS, OVIS or CocoVID file; its objects are drawn if there are no
            ``results``.
        results: ``results.json`` in the layout of YouTube-VIS, or several by their titles.
        score_thr: Results with a lower score are left out.
        side_by_side: Whether to draw the ground truth beside the results.

    Raises:
        ValueError: If a file is not usable, or has no ground truth although it is to be drawn.
    """
    truth = read_annotations(annotations)
    if not isinstance(results, Mapping):
        results = {} if results is None else {'results': results}
    found: dict[str, list[list[ResultTrack]]] = {}
    for title, path in results.items():
        found[title] = [[] for _ in truth.videos]
        file = read_results(path, truth)
        for text in file.warnings:
            warnings.warn(text, stacklevel=2)
        for track in file.tracks:
            if track.score >= score_thr:
                found[title][track.video].append(track)
    with_truth = not results or side_by_side
    if with_truth and not truth.num_annotations:
        raise ValueError(
            f'{annotations} has no annotations to draw; give a results file, without --side-by-side'
        )
    names = _names(truth)
    panels = []
    for place, video in enumerate(truth.videos):
        files = {title: tracks[place] for title, tracks in found.items()}
        objects, own = _result_panels(truth, video, files)
        panels.append([*own, _truth_panel(names, video, objects)] if with_truth else own)
    return _overlays(truth.videos, panels)


def _result_panels(
    truth: AnnotationFile, video: AnnotatedVideo, files: Mapping[str, Sequence[ResultTrack]]
) -> tuple[list[int], list[Panel]]:
    """Return the numbers of the objects of a video, and the results of each file, best last."""
    # the ground truth gives the numbers, shown or not
    objects, *numbers = shared_numbers(
        [_comparable(video.tracks), *map(_comparable, files.values())], video.size
    )
    panels: list[Panel] = []
    for (title, tracks), own in zip(files.items(), numbers):
        drawn = [
            DrawnTrack(number, truth.categories[track.category][1], track.score, track.counts)
            for number, track in zip(own, tracks)
        ]
        panels.append((title, sorted(drawn, key=lambda track: track.score or 0)))
    return objects, panels


def _names(file: AnnotationFile) -> dict[str, str]:
    """Return the names of the classes by the texts of their ids."""
    return {id_key(key): name for key, name in file.categories}


def _comparable(tracks: Sequence[AnnotatedTrack] | Sequence[ResultTrack]) -> list[Track]:
    """Return tracks as the overlap over space and time needs them."""
    return [Track(list(each.counts), np.array(each.pixels, float), 0.0) for each in tracks]


def _truth_panel(names: Mapping[str, str], video: AnnotatedVideo, numbers: Sequence[Id]) -> Panel:
    """Return the objects of a video; positions stand for numbers that are text, in the name."""
    drawn = []
    for place, (track, number) in enumerate(zip(video.tracks, numbers)):
        name = names[id_key(track.category_id)] + (' crowd' if track.iscrowd else '')
        if isinstance(number, str):
            number, name = place, f'({number}) {name}'
        drawn.append(DrawnTrack(number, name, None, track.counts))
    return 'ground truth', drawn


def shared_numbers(files: Sequence[Sequence[Track]], size: tuple[int, int]) -> list[list[int]]:
    """Number the tracks of a video in several files, so that an object has one number in all.

    The tracks of the first file are 0, 1, 2 and so on. A track of another file takes the number of
    its partner in the first file, or else of its partner among the tracks that were new in the
    second file, the third file and so on, or else the next free number. Partners are found one to
    one by overlap over space and time, whatever their categories.
    """
    known: list[tuple[list[Track], list[int]]] = []
    answer, free = [], 0
    for tracks in files:
        numbers = [-1] * len(tracks)
        left = list(range(len(tracks)))
        for others, theirs in known:
            iou = video_iou([tracks[place] for place in left], others, size)
            for row, col in best_pairs(iou, LEAST_IOU):
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

    Those that are ``wanted``, by their ids or names, come in that order.

    Raises:
        ValueError: If there is no such video.
    """
    names = _names(file)
    panels = [[_truth_panel(names, each, [t.id for t in each.tracks])] for each in file.videos]
    overlays = _overlays(file.videos, panels)
    return chosen(overlays, wanted, [id_key(video.id) for video in file.videos], file.name)


def chosen(
    overlays: Sequence[Overlay], wanted: Sequence[str] | None, keys: Sequence[str], file: str
) -> list[Overlay]:
    """Return the overlays of a file whose keys or names are wanted, all by default.

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


def _overlays(videos: Sequence[AnnotatedVideo], panels: Sequence[Sequence[Panel]]) -> list[Overlay]:
    """Return videos with their panels, named after the folders of their frames if these differ."""
    folders = [Path(video.file_names[0]).parent.as_posix() for video in videos]
    seen: dict[str, int] = {}
    overlays = []
    for video, folder, own in zip(videos, folders, panels):
        is_name = folder != '.' and folders.count(folder) == 1
        name = distinct(folder if is_name else f'video_{id_key(video.id)}', seen)
        overlays.append(Overlay(name, video.file_names, video.size, own))
    return overlays
