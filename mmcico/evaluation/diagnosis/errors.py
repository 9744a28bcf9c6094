"""Kinds of errors of predictions and objects, after TIDE.

Bolya et al., *TIDE: A General Toolbox for Identifying Object Detection Errors*, ECCV 2020. The IoU
over space and time takes the place of the IoU of boxes.
"""

import numpy as np

from ..matching import IOU_THRS, assign
from .cases import Case

#: two tracks with a smaller overlap are unrelated
LEAST_IOU = 0.1
#: kinds of predictions; ``prediction_kinds`` returns indices of this tuple
KINDS = (
    'right',
    'ignored',
    'duplicate',
    'classification',
    'weak overlap',
    'weak overlap and classification',
    'background',
)
(RIGHT, IGNORED, DUPLICATE, CLASSIFICATION, WEAK, WEAK_AND_CLASSIFICATION, BACKGROUND) = range(
    len(KINDS)
)


def _best_overlap(case: Case, chosen: np.ndarray) -> np.ndarray:
    """Return the (D,) best IoU of each prediction with the objects chosen by a (D, G) mask."""
    return np.where(chosen, case.iou, 0.0).max(axis=1, initial=0.0)


def prediction_kinds(case: Case) -> np.ndarray:
    """Return the kind of each prediction at each IoU threshold; the first that applies.

    - right: It has an object of its class.
    - ignored: It has a crowd, which counts neither way.
    - duplicate: It reaches the threshold with an object of its class, which a prediction with a
      better score took.
    - classification: It reaches the threshold with an object of another class.
    - weak overlap: Its IoU with an object of its class is at least 0.1.
    - weak overlap and classification: Its IoU with an object of another class is at least 0.1.
    - background: Its IoU with every object is below 0.1.

    Args:
        case (Case): One video.

    Returns:
        np.ndarray: (10, D) indices of ``KINDS``, one row for each of ``IOU_THRS``.
    """
    thrs = np.minimum(IOU_THRS, 1 - 1e-10)[:, None]
    own = _best_overlap(case, case.same_class)
    other = _best_overlap(case, ~case.same_class & ~case.crowd)
    anything = _best_overlap(case, np.ones_like(case.same_class))
    found = case.taken >= 0
    on_crowd = np.zeros_like(found)
    on_crowd[found] = case.crowd[case.taken[found]]
    shape = found.shape
    return np.select(
        [
            on_crowd,
            found,
            own >= thrs,
            other >= thrs,
            np.broadcast_to(own >= LEAST_IOU, shape),
            np.broadcast_to(anything >= LEAST_IOU, shape),
        ],
        [IGNORED, RIGHT, DUPLICATE, CLASSIFICATION, WEAK, WEAK_AND_CLASSIFICATION],
        BACKGROUND,
    )


def missed_objects(case: Case) -> np.ndarray:
    """Return (G,) bool, whether the IoU of an object with every prediction is below 0.1.

    Crowds are never missed.
    """
    return (case.iou.max(axis=0, initial=0.0) < LEAST_IOU) & ~case.crowd


def count_errors(case: Case, num_classes: int) -> dict[str, np.ndarray]:
    """Count the predictions and objects of each kind at IoU 0.5, by their K classes.

    The kinds are those of predictions, and for objects ``objects``, ``found`` and ``missed`` (see
    ``missed_objects``).
    """
    kinds = prediction_kinds(case)[0]
    counts = {
        name: np.bincount(case.labels[kinds == kind], minlength=num_classes)
        for kind, name in enumerate(KINDS)
    }
    found = case.taken[0][kinds == RIGHT]
    objects = dict(objects=~case.crowd, found=found, missed=missed_objects(case))
    for name, chosen in objects.items():
        counts[name] = np.bincount(case.object_labels[chosen], minlength=num_classes)
    return counts


def confusion_matrix(
    case: Case, num_classes: int, score_thr: float = 0.3, iou_thr: float = 0.5
) -> np.ndarray:
    """Count the objects of one video by their class and that of their prediction.

    Predictions of all classes take objects of any class. The prediction with the best score
    chooses first and takes the free object that it overlaps most. Crowds are left out.

    Args:
        case (Case): One video.
        num_classes (int): K.
        score_thr (float): Predictions with a lower score are left out.
        iou_thr (float): Smallest IoU over the video.

    Returns:
        np.ndarray: (K + 2, K + 1) counts. The rows are the classes of objects, then predictions
        without an object of their own: *duplicate* (another prediction has the object that they
        overlap) and *background*. The columns are predicted classes, then *missed*.
    """
    matrix = np.zeros((num_classes + 2, num_classes + 1), np.int64)
    rows = np.flatnonzero(case.scores >= score_thr)
    iou, labels = case.iou[rows], case.labels[rows]
    taken = assign(iou, case.crowd, case.crowd[None], np.array([iou_thr]))[0, 0]
    # the last entries are those of predictions without an object, whose index is -1
    actual = np.append(case.object_labels, num_classes + 1)[taken]
    actual[(taken < 0) & (iou.max(axis=1, initial=0.0) >= iou_thr)] = num_classes
    counts = ~np.append(case.crowd, False)[taken]
    np.add.at(matrix, (actual[counts], labels[counts]), 1)
    missed = ~case.crowd
    missed[taken[taken >= 0]] = False
    np.add.at(matrix, (case.object_labels[missed], num_classes), 1)
    return matrix
