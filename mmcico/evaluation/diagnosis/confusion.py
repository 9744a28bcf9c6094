"""Which classes are taken for which."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .cases import Case, take_objects

DUPLICATE, BACKGROUND, MISSED = 'duplicate', 'background', 'missed'


def confusion_matrix(
    cases: Iterable[Case], num_classes: int, score_thr: float = 0.3, iou_thr: float = 0.5
) -> np.ndarray:
    """Count objects by their class and that of their prediction.

    Predictions of all classes take objects of any class: the best score
    first, each the free object it overlaps most.

    Args:
        cases (Iterable[Case]): Videos.
        num_classes (int): K.
        score_thr (float): Predictions with a lower score are left out.
        iou_thr (float): Least IoU over the video.

    Returns:
        np.ndarray: (K + 2, K + 1) numbers. Rows are the classes of objects,
        then predictions without an object of their own: *duplicate* (another
        one has the object that they overlap) and *background*. Columns are
        predicted classes, then *missed*. Crowds are left out.
    """
    matrix = np.zeros((num_classes + 2, num_classes + 1), np.int64)
    for case in cases:
        rows = np.flatnonzero(case.scores >= score_thr)
        iou, labels = case.iou[rows], case.labels[rows]
        taken = take_objects(iou, case.crowd, np.array([iou_thr]))[0]
        again = (taken < 0) & (iou.max(axis=1, initial=0.0) >= iou_thr)
        nothing = (taken < 0) & ~again
        has_object = taken >= 0
        has_object[has_object] = ~case.crowd[taken[has_object]]
        np.add.at(matrix, (case.object_labels[taken[has_object]], labels[has_object]), 1)
        np.add.at(matrix, (num_classes, labels[again]), 1)
        np.add.at(matrix, (num_classes + 1, labels[nothing]), 1)
        missed = ~case.crowd
        missed[taken[has_object]] = False
        np.add.at(matrix, (case.object_labels[missed], num_classes), 1)
    return matrix


def confusion_dict(
    matrix: np.ndarray, names: list[str], score_thr: float, iou_thr: float
) -> dict[str, Any]:
    """The matrix with its names and settings, for a file."""
    return dict(
        score_thr=score_thr,
        iou_thr=iou_thr,
        rows=[*names, DUPLICATE, BACKGROUND],
        columns=[*names, MISSED],
        matrix=matrix.tolist(),
    )
