"""AP of boxes and masks where each frame is an image, by COCO's rules."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..figures import class_curves
from ..matching import Matches
from ..tracks import Track
from ..vis_tables import GroundTruth, Tracks
from .cases import Case, read_cases

KINDS = dict(box='bbox', mask='segm')
#: COCO's ranges of areas, in its order
SIZES = ('', 's', 'm', 'l')
MAX_DETECTIONS = 100
# of each class: what became of the detections of each image
ClassMatches = dict[int, list[Matches]]


class FrameFigures(NamedTuple):
    """Figures of all frames together and of each one.

    Attributes:
        total (dict): ``box`` and ``mask``: COCO's twelve figures, None where
            there is no ground truth.
        frames (list[dict]): Of each frame that shows anything ``video_id``,
            ``frame``, ``objects``, ``predictions``, ``box_AP`` and
            ``mask_AP`` (None without objects).
    """

    total: dict[str, dict[str, float | None]]
    frames: list[dict[str, Any]]


def frame_figures(truth: GroundTruth, tracks: Tracks) -> FrameFigures:
    """Measure each frame for itself; ids do not matter.

    A mask is a detection with the score of its track. Boxes are those around
    the masks, also of the ground truth. Small, medium and large go, as in
    COCO, by the area of the mask for objects and detected masks, and by that
    of the box for detected boxes. Of a video and class the 100 best tracks
    are looked at.

    Args:
        truth (GroundTruth): With annotations.
        tracks (Tracks): Predictions.

    Returns:
        FrameFigures: A debugging aid beside the AP of videos: what is lost
        between the two is lost by linking.
    """
    rows: list[dict[str, Any]] = []
    matches: dict[str, ClassMatches] = {kind: {} for kind in KINDS}
    for case in read_cases(truth, tracks):
        objects = _as_coco(case, case.objects, case.object_labels)
        masks = _as_coco(case, case.predictions, case.labels)
        found = dict(box=_with_box_areas(masks), mask=masks)
        numbers = [(each > 0).sum(axis=0) for each in (case.object_areas, case.areas)]
        aps = {}
        for kind in KINDS:
            frames = match_frames(objects, found[kind], kind)
            aps[kind] = [frame_ap(frame) for frame in frames]
            for frame in frames:
                for label, each in frame.items():
                    matches[kind].setdefault(label, []).append(each)
        rows += [
            dict(
                video_id=case.video.id,
                frame=frame,
                objects=int(numbers[0][frame]),
                predictions=int(numbers[1][frame]),
                **{f'{kind}_AP': values[frame] for kind, values in aps.items()},
            )
            for frame in np.flatnonzero(numbers[0] + numbers[1]).tolist()
        ]
    return FrameFigures({kind: coco_figures(each) for kind, each in matches.items()}, rows)


def _as_coco(case: Case, tracks: Sequence[Track], labels: np.ndarray) -> COCO:
    """The masks of a video as annotations of its frames, as images."""
    size = case.video.size
    annotations: list[dict[str, Any]] = []
    for track, label in zip(tracks, labels.tolist()):
        for each in _track_masks(track, size):
            # COCOeval takes id 0 for none
            annotations.append(dict(each, id=len(annotations) + 1, category_id=label))
    present = np.union1d(case.labels, case.object_labels).tolist()
    return _indexed(
        dict(
            images=[
                dict(id=frame, height=size[0], width=size[1]) for frame in range(case.video.length)
            ],
            categories=[dict(id=int(label)) for label in present],
            annotations=annotations,
        )
    )


def _with_box_areas(masks: COCO) -> COCO:
    """The same detections as boxes: COCO groups them by the box's area."""
    boxes = [
        dict(each, area=each['bbox'][2] * each['bbox'][3]) for each in masks.dataset['annotations']
    ]
    return _indexed(dict(masks.dataset, annotations=boxes))


def _indexed(dataset: dict[str, Any]) -> COCO:
    """A data set as pycocotools wants it."""
    coco = COCO()
    coco.dataset = dataset
    with contextlib.redirect_stdout(io.StringIO()):  # it reports progress
        coco.createIndex()
    return coco


def _track_masks(track: Track, size: tuple) -> Iterator[dict[str, Any]]:
    """What COCO wants to know of each mask of a track."""
    frames = np.flatnonzero(track.areas).tolist()
    codes = [dict(size=[*size], counts=track.masks[frame]) for frame in frames]
    boxes = mask_utils.toBbox(codes) if codes else []
    for frame, code, box in zip(frames, codes, boxes):
        yield dict(
            image_id=frame,
            segmentation=code,
            bbox=box.tolist(),
            area=float(track.areas[frame]),
            iscrowd=int(track.crowd),
            score=track.score,
        )


def match_frames(objects: COCO, found: COCO, kind: str) -> list[dict[int, Matches]]:
    """Let COCO's evaluation match the detections of each frame.

    Args:
        objects (COCO): Of one video.
        found (COCO): Of the same video.
        kind (str): One of ``KINDS``.

    Returns:
        list[dict[int, Matches]]: Of each frame, by class, with the four
        ``SIZES`` as groups.
    """
    evaluation = COCOeval(objects, found, KINDS[kind])
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
    params = evaluation.params
    shape = len(params.catIds), len(params.areaRng), len(params.imgIds)
    frames: list[dict[int, Matches]] = [{} for _ in params.imgIds]
    for category, frame in np.ndindex(shape[0], shape[2]):
        parts = [
            evaluation.evalImgs[(category * shape[1] + size) * shape[2] + frame]
            for size in range(shape[1])
        ]
        if parts[0] is None:  # neither objects nor detections
            continue
        frames[frame][params.catIds[category]] = Matches(
            np.array(parts[0]['dtScores'], float),
            np.stack([part['dtMatches'] > 0 for part in parts]),
            np.stack([part['dtIgnore'] > 0 for part in parts]),
            np.array([(np.asarray(part['gtIgnore']) == 0).sum() for part in parts]),
        )
    return frames


def frame_ap(frame: dict[int, Matches]) -> float | None:
    """AP of one frame, mean over the classes it shows; None without."""
    return coco_mean({label: [each] for label, each in frame.items()})


def coco_mean(
    matches: ClassMatches, group: int = 0, number: int = MAX_DETECTIONS, figure: str = 'precision'
) -> float | None:
    """Mean over thresholds and the classes with objects.

    Args:
        matches (ClassMatches): Of images.
        group (int): Position in ``SIZES``.
        number (int): Best detections of an image and class to look at.
        figure (str): ``'precision'`` for AP or ``'recall'`` for AR.
    """
    curves = [class_curves(each, group, number) for each in matches.values()]
    values = [getattr(each, figure) for each in curves if each is not None]
    return float(np.mean(values)) if values else None


def coco_figures(matches: ClassMatches) -> dict[str, float | None]:
    """COCO's twelve figures: ``AP``, ``AP50``, ..., ``ARl``."""
    curves = [class_curves(each, 0, MAX_DETECTIONS) for each in matches.values()]
    known = [each.precision for each in curves if each is not None]
    figures = {
        name: float(np.mean([each[levels] for each in known])) if known else None
        for name, levels in (('AP', slice(None)), ('AP50', 0), ('AP75', 5))
    }
    for group in range(1, len(SIZES)):
        figures[f'AP{SIZES[group]}'] = coco_mean(matches, group)
    for number in (1, 10, MAX_DETECTIONS):
        figures[f'AR{number}'] = coco_mean(matches, 0, number, 'recall')
    for group in range(1, len(SIZES)):
        figures[f'AR{SIZES[group]}'] = coco_mean(matches, group, figure='recall')
    return figures
