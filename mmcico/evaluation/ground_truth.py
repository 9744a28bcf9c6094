"""Ground truth and predicted tracks as the metrics use them.

Both are derived from the values of ``mmcico.formats``, which reads and checks all files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcico.formats import results as results_format
from mmcico.formats.annotations import OCCLUSION, AnnotatedTrack, AnnotatedVideo, AnnotationFile
from mmcico.formats.fields import Id, id_key, id_order
from mmcico.formats.problems import Problems
from mmcico.formats.read import load_json, read_annotations

#: short videos of YouTube-VIS 2022 have every fifth frame, and at most 84 frames
SHORT_STEP, SHORT_LENGTH = 5, 84


@dataclass
class Track:
    """An object of the ground truth, or a predicted one.

    Attributes:
        masks (list[bytes | None]): Compressed RLE counts of each frame, None where it is absent.
        areas (np.ndarray): (T,) pixels in each frame, 0 where it is absent.
        mean_area (float): Mean area over the frames in which it is visible, which decides whether
            it is small, medium or large.
        score (float): Score of a prediction, 0 for ground truth.
        crowd (bool): Whether it is a crowd, which counts neither as found nor as missed.
        occlusion (float): Occlusion score of OVIS, from 0 (fully visible) to 0.75.
    """

    masks: list[bytes | None]
    areas: np.ndarray
    mean_area: float
    score: float = 0.0
    crowd: bool = False
    occlusion: float = 0.0


# (video, category) -> tracks in the order of the file; both are indices in GroundTruth
Place = tuple[int, int]
Tracks = dict[Place, list[Track]]


class GroundTruth:
    """Videos, categories and objects of an annotation file.

    Args:
        file (AnnotationFile): The file.

    Attributes:
        file (AnnotationFile): The file.
        name (str): Name of the file, for messages.
        videos (list[AnnotatedVideo]): Videos in the order of their ids.
        categories (list[tuple[Id, str]]): Ids and unique names, in the order of the ids.
        tracks (Tracks): Annotated objects.
        has_annotations (bool): False for official valid and test files.
        without_occlusion (int): Number of annotations without OVIS' field.
    """

    def __init__(self, file: AnnotationFile) -> None:
        self.file = file
        self.name = file.name
        self.videos = sorted(file.videos, key=lambda video: id_order(video.id))
        names = [name for _, name in file.categories]
        self.categories: list[tuple[Id, str]] = [
            (key, name if names.count(name) == 1 else f'{name} ({key})')
            for key, name in sorted(file.categories, key=lambda each: id_order(each[0]))
        ]
        self.video_index = {id_key(video.id): i for i, video in enumerate(self.videos)}
        self.category_index = {id_key(key): i for i, (key, _) in enumerate(self.categories)}
        self.has_annotations = file.num_annotations > 0
        self.without_occlusion = 0
        self.tracks: Tracks = {}
        for index, video in enumerate(self.videos):
            for track in video.tracks:
                self.without_occlusion += track.occlusion is None
                place = index, self.category_index[id_key(track.category_id)]
                self.tracks.setdefault(place, []).append(_object(track))

    def warnings(self, metric: str) -> list[str]:
        """Return what makes the figures less meaningful than they seem.

        Args:
            metric (str): See ``evaluate``.
        """
        said = []
        crowds, number = self.file.num_crowds, sum(len(video.tracks) for video in self.videos)
        if crowds:
            rest = 'all others' if crowds < number else 'nothing, so all figures are "-"'
            said.append(
                f'{crowds} of {number} objects of {self.name} are crowds (iscrowd = 1), which '
                f'count neither as found nor as missed; the figures are over {rest}. If they are '
                'ordinary objects, set iscrowd to 0 (--crowds-as-objects)'
            )
        if metric == 'ovis' and self.without_occlusion:
            said.append(
                f'{self.without_occlusion} annotations of {self.name} have no field occlusion; '
                'they count as not occluded'
            )
        return said


def mean_seen(areas: np.ndarray) -> float:
    """Return the mean of the (T,) areas that are not 0; 0 if there are none."""
    seen = areas[areas > 0]
    return float(seen.mean()) if len(seen) else 0.0


def _object(track: AnnotatedTrack) -> Track:
    """Convert an annotated object; its size follows the stated areas, as in the official tool."""
    areas = np.array(track.pixels, float)
    stated = areas if track.areas is None else np.array([area or 0 for area in track.areas], float)
    hidden = occlusion_score(track.occlusion or ())
    return Track(track.counts, areas, mean_seen(stated), crowd=track.iscrowd, occlusion=hidden)


def occlusion_score(levels: Sequence[str | None]) -> float:
    """Compute OVIS' occlusion score, the mean over the more hidden half of the frames.

    ``levels`` has the word of each frame, None where the object is absent.
    """
    scores = sorted(OCCLUSION[each] for each in levels if each is not None)
    worst = scores[len(scores) // 2 :]
    return sum(worst) / len(worst) if worst else 0.0


def is_long(video: AnnotatedVideo) -> bool:
    """Return whether a video belongs to the long videos of YouTube-VIS 2022.

    Its files do not mark them. Short videos have every fifth frame and at most 84 frames; long
    ones are sampled more sparsely or have more frames.
    """
    found = [re.search(r'(\d+)\D*$', name) for name in video.file_names[:2]]
    numbers = [int(each.group(1)) for each in found if each]
    step = numbers[1] - numbers[0] if len(numbers) == 2 else 0
    return video.length > SHORT_LENGTH or step > SHORT_STEP


def read_ground_truth(
    source: str | Path | dict, name: str = 'ground truth', crowds_as_objects: bool = False
) -> GroundTruth:
    """Read and check a ground truth file in the layout of YouTube-VIS or CocoVID.

    Args:
        source (str | Path | dict): File, or the JSON parsed from it.
        name (str): Name of the file in messages, if ``source`` is a dict.
        crowds_as_objects (bool): Whether to take ``iscrowd`` as 0.

    Returns:
        GroundTruth: Its content, without tracks if the file has no annotations.

    Raises:
        ValueError: If the file is not usable.
    """
    file = read_annotations(
        source,
        name if isinstance(source, dict) else None,
        needs_files=False,
        crowds_as_objects=crowds_as_objects,
    )
    return GroundTruth(file)


def read_results(
    source: str | Path | list[Any],
    truth: GroundTruth,
    name: str = 'results',
    problems: Problems | None = None,
) -> Tracks:
    """Read results and check them against the ground truth.

    Args:
        source (str | Path | list): File (``results.json``, a zip of it, or parts of a test), or
            the JSON parsed from it.
        truth (GroundTruth): Videos and categories.
        name (str): Name of the file in messages, if ``source`` is a list.
        problems (Problems, optional): Collects problems instead of raising the first one.

    Returns:
        Tracks: Predicted tracks. One without any mask counts as a false positive, as in the
        official tool.

    Raises:
        ValueError: If the file is not usable.
    """
    file = results_format.read_results(
        source, truth.file, name if isinstance(source, list) else None, problems=problems
    )
    videos = [truth.video_index[id_key(video.id)] for video in truth.file.videos]
    categories = [truth.category_index[id_key(key)] for key, _ in truth.file.categories]
    tracks: Tracks = {}
    for each in file.tracks:
        areas = np.array(each.pixels, float)
        track = Track(each.counts, areas, mean_seen(areas), score=each.score)
        tracks.setdefault((videos[each.video], categories[each.category]), []).append(track)
    return tracks


def long_video_ids(path: str | Path) -> list[Any]:
    """Read the ids of the long videos of YouTube-VIS 2022.

    Args:
        path (str | Path): JSON file with a list of ids, or the ground truth of the long videos
            alone, as the server has it.

    Raises:
        ValueError: If it is neither.
    """
    content = load_json(path)
    if isinstance(content, dict) and isinstance(content.get('videos'), list):
        content = [each.get('id') if isinstance(each, dict) else each for each in content['videos']]
    if not isinstance(content, list):
        raise ValueError(
            f'{path}: expected a list of video ids, or an object with the list "videos"'
        )
    return content
