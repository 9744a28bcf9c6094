"""AP of boxes and masks where each frame is an image, by COCO's rules."""
import contextlib
import io
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..matching import Matches
from ..tracks import Track
from ..vis_json import GroundTruth, Tracks
from ..ytvis_eval import class_curves

#: COCO's names and order
FIGURES = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100',
           'ARs', 'ARm', 'ARl')
KINDS = dict(box='bbox', mask='segm')


class FrameFigures(NamedTuple):
    """Figures of all frames together and of each one.

    Attributes:
        total (dict): ``box`` and ``mask``: COCO's twelve figures, None where
            there is no ground truth.
        frames (list[dict]): Of each frame that shows anything ``video_id``,
            ``frame``, ``objects``, ``predictions``, ``box_AP`` and
            ``mask_AP`` (None without objects).
    """
    total: Dict[str, Dict[str, Optional[float]]]
    frames: List[Dict[str, Any]]


def frame_figures(truth: GroundTruth, tracks: Tracks) -> FrameFigures:
    """Measure each frame for itself; ids do not matter.

    A mask is a detection with the score of its track. Boxes are those around
    the masks, also of the ground truth.

    Args:
        truth (GroundTruth): With annotations.
        tracks (Tracks): Predictions.

    Returns:
        FrameFigures: A debugging aid beside the AP of videos: what is lost
        between the two is lost by linking.
    """
    starts = np.cumsum([1] + [video.length for video in truth.videos])
    objects = _as_coco(truth, truth.tracks, starts)
    found = _as_coco(truth, tracks, starts)
    total, single = {}, {}
    for name, kind in KINDS.items():
        evaluation = COCOeval(objects, found, kind)
        with contextlib.redirect_stdout(io.StringIO()):  # it reports progress
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        total[name] = {
            key: None if value < 0 else float(value)
            for key, value in zip(FIGURES, evaluation.stats)
        }
        single[name] = image_aps(evaluation)
    return FrameFigures(
        total, list(_frame_rows(truth, starts, objects, found, single)))


def _as_coco(truth: GroundTruth, tracks: Tracks, starts: np.ndarray) -> COCO:
    """All masks as annotations of images; image ids go on over videos."""
    annotations: List[Dict[str, Any]] = []
    for (video, category), group in sorted(tracks.items()):
        size = truth.videos[video].size
        for track in group:
            for each in _track_masks(track, size):
                frame = each.pop('frame')
                annotations.append(
                    dict(
                        each,
                        id=len(annotations) + 1,  # COCOeval fails on id 0
                        image_id=int(starts[video]) + frame,
                        category_id=category))
    coco = COCO()
    coco.dataset = dict(
        images=[
            dict(id=int(start) + frame, height=v.size[0], width=v.size[1])
            for start, v in zip(starts, truth.videos)
            for frame in range(v.length)
        ],
        categories=[
            dict(id=index, name=each[1])
            for index, each in enumerate(truth.categories)
        ],
        annotations=annotations)
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def _track_masks(track: Track, size: tuple) -> Iterator[Dict[str, Any]]:
    """What COCO wants to know of each mask of a track."""
    frames = np.flatnonzero(track.areas)
    codes = [dict(size=[*size], counts=track.masks[frame]) for frame in frames]
    boxes = mask_utils.toBbox(codes) if codes else []
    for frame, code, box in zip(frames.tolist(), codes, boxes):
        yield dict(
            frame=frame,
            segmentation=code,
            bbox=box.tolist(),
            area=float(track.areas[frame]),
            iscrowd=int(track.crowd),
            score=track.score)


def image_aps(evaluation: COCOeval) -> Dict[int, float]:
    """AP of each image, mean over the classes it shows.

    Args:
        evaluation (COCOeval): After ``evaluate``.

    Returns:
        dict[int, float]: By image id; images without objects are left out.
    """
    params = evaluation.params
    images, areas = len(params.imgIds), len(params.areaRng)
    aps: Dict[int, List[float]] = {}
    for category in range(len(params.catIds)):
        begin = category * areas * images  # the first area range is "all"
        for one in evaluation.evalImgs[begin:begin + images]:
            if one is None:
                continue
            number = int((~np.asarray(one['gtIgnore'], bool)).sum())
            matches = Matches(
                np.asarray(one['dtScores'], float),
                np.asarray(one['dtMatches'])[None] > 0,
                np.asarray(one['dtIgnore'])[None] > 0, np.array([number]))
            curves = class_curves([matches], 0, params.maxDets[-1])
            if curves is not None:
                aps.setdefault(one['image_id'],
                               []).append(float(curves.precision.mean()))
    return {image: float(np.mean(values)) for image, values in aps.items()}


def _frame_rows(truth: GroundTruth, starts: np.ndarray, objects: COCO,
                found: COCO, single: Dict[str, Dict[int,
                                                    float]]) -> Iterator[dict]:
    for start, video in zip(starts.tolist(), truth.videos):
        for frame in range(video.length):
            image = start + frame
            numbers = [
                len(each.imgToAnns.get(image, [])) for each in (objects, found)
            ]
            if any(numbers):
                yield dict(
                    video_id=video.id,
                    frame=frame,
                    objects=numbers[0],
                    predictions=numbers[1],
                    **{
                        f'{name}_AP': single[name].get(image)
                        for name in KINDS
                    })
