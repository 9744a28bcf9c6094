"""AP of boxes and masks with each frame as an image, by the rules of COCO."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..figures import GROUPS, class_curves, mean_precision, summarize
from ..ground_truth import GroundTruth, Track, Tracks
from ..matching import MAX_TRACKS, Matches
from .cases import Case, read_cases

KINDS = dict(box='bbox', mask='segm')
# class -> outcome of the detections of one image or of several
FrameMatches = dict[int, Matches]
ClassMatches = dict[int, list[Matches]]


class FrameFigures(NamedTuple):
    """Figures of all frames together and of each one.

    Attributes:
        total (dict): ``box`` and ``mask``: the twelve figures of COCO, None without ground truth.
        frames (list[dict]): For each frame with an object or a prediction ``video_id``, ``frame``,
            ``objects``, ``predictions``, ``box_AP`` and ``mask_AP`` (None without objects).
    """

    total: dict[str, dict[str, float | None]]
    frames: list[dict[str, Any]]


def frame_figures(truth: GroundTruth, tracks: Tracks) -> FrameFigures:
    """Measure each frame on its own, so that track ids do not matter.

    A mask is a detection with the score of its track. Boxes are the circumscribed boxes of the
    masks, also for the ground truth. As in COCO, objects and detected masks are small, medium or
    large by the area of the mask, detected boxes by the area of the box. The 100 best tracks of
    each video and class count.

    Args:
        truth (GroundTruth): Ground truth with annotations.
        tracks (Tracks): Predictions.

    Returns:
        FrameFigures: A debugging aid beside the AP of videos: the difference between the two is
        lost by linking.
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
            aps[kind] = [_frame_ap(frame) for frame in frames]
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
    return FrameFigures({kind: _coco_figures(each) for kind, each in matches.items()}, rows)


def _as_coco(case: Case, tracks: Sequence[Track], labels: np.ndarray) -> COCO:
    """Return the masks of a video as COCO annotations, with frames as images."""
    size = case.video.size
    annotations: list[dict[str, Any]] = []
    for track, label in zip(tracks, labels.tolist()):
        for each in _track_masks(track, size):
            # COCOeval takes id 0 for no match
            annotations.append(dict(each, id=len(annotations) + 1, category_id=label))
    present = np.union1d(case.labels, case.object_labels).tolist()
    return _indexed(
        dict(
            images=[
                dict(id=frame, height=size[0], width=size[1]) for frame in range(case.video.length)
            ],
            categories=[dict(id=label) for label in present],
            annotations=annotations,
        )
    )


def _with_box_areas(masks: COCO) -> COCO:
    """Return the same detections as boxes, which COCO groups by the area of the box."""
    boxes = [
        dict(each, area=each['bbox'][2] * each['bbox'][3]) for each in masks.dataset['annotations']
    ]
    return _indexed(dict(masks.dataset, annotations=boxes))


def _indexed(dataset: dict[str, Any]) -> COCO:
    coco = COCO()
    coco.dataset = dataset
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress
        coco.createIndex()
    return coco


def _track_masks(track: Track, size: tuple) -> Iterator[dict[str, Any]]:
    """Yield the COCO fields of each mask of a track."""
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


def match_frames(objects: COCO, found: COCO, kind: str) -> list[FrameMatches]:
    """Match the detections of each frame of a video by COCO's evaluation, for a kind of ``KINDS``.

    Returns the matches of each frame, by class. Their groups are the four area ranges of COCO: all,
    small, medium and large.
    """
    evaluation = COCOeval(objects, found, KINDS[kind])
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
    params = evaluation.params
    shape = len(params.catIds), len(params.areaRng), len(params.imgIds)
    outcomes = np.array(evaluation.evalImgs, object).reshape(shape)
    frames: list[FrameMatches] = [{} for _ in params.imgIds]
    for category, frame in np.ndindex(shape[0], shape[2]):
        parts = outcomes[category, :, frame]
        if parts[0] is None:  # neither objects nor detections
            continue
        frames[frame][params.catIds[category]] = Matches(
            np.array(parts[0]['dtScores'], float),
            np.stack([part['dtMatches'] > 0 for part in parts]),
            np.stack([part['dtIgnore'] > 0 for part in parts]),
            np.array([(np.asarray(part['gtIgnore']) == 0).sum() for part in parts]),
        )
    return frames


def _frame_ap(frame: FrameMatches) -> float | None:
    """Return the AP of one frame, the mean over its classes; None without objects."""
    return mean_precision(class_curves([each], 0, MAX_TRACKS) for each in frame.values())['AP']


def _coco_figures(matches: ClassMatches) -> dict[str, float | None]:
    """Return the twelve figures of COCO: ``AP``, ``AP50``, ..., ``ARl``."""
    # only the names of the groups matter here
    figures = summarize({str(label): each for label, each in matches.items()}, GROUPS['ytvis'])
    return {
        name: value for name, value in figures.items() if name.startswith('A') and '_' not in name
    }
