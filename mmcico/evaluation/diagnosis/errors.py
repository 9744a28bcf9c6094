"""What is wrong with each prediction and object, in the manner of TIDE.

Bolya et al., *TIDE: A General Toolbox for Identifying Object Detection
Errors*, ECCV 2020, with the IoU over space and time in place of boxes.
"""

import numpy as np

from ..matching import IOU_THRS
from .cases import Case

#: below this overlap two tracks have nothing to do with each other
LEAST_IOU = 0.1
#: kinds of predictions, in the order of the numbers in ``prediction_kinds``
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


def best_overlap(case: Case, chosen: np.ndarray) -> np.ndarray:
    """(D,) best IoU with the objects chosen by a (D, G) bool."""
    return np.where(chosen, case.iou, 0.0).max(axis=1, initial=0.0)


def prediction_kinds(case: Case) -> np.ndarray:
    """Kind of each prediction at each IoU threshold; the first that fits.

    - right: has an object of its class;
    - ignored: has a crowd, which counts neither way;
    - duplicate: reaches the threshold with an object of its class, but a
      better score took it;
    - classification: reaches the threshold with an object of another class;
    - weak overlap: 0.1 or more with an object of its class;
    - weak overlap and classification: 0.1 or more with another class;
    - background: less than 0.1 with every object.

    Args:
        case (Case): One video.

    Returns:
        np.ndarray: (10, D) positions in ``KINDS``, for ``IOU_THRS``.
    """
    thrs = np.minimum(IOU_THRS, 1 - 1e-10)[:, None]
    own = best_overlap(case, case.same_class)
    other = best_overlap(case, ~case.same_class & ~case.crowd)
    anything = best_overlap(case, np.ones_like(case.same_class))
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
    """(G,) bool, objects that every prediction overlaps by less than 0.1.

    Crowds are never missed.
    """
    best = case.iou.max(axis=0, initial=0.0)
    return (best < LEAST_IOU) & ~case.crowd


def count_errors(case: Case, num_classes: int) -> dict[str, np.ndarray]:
    """Numbers of predictions and objects of each kind at IoU 0.5.

    Args:
        case (Case): One video.
        num_classes (int): K.

    Returns:
        dict[str, np.ndarray]: (K,) of each kind of predictions; ``objects``,
        ``found`` and ``missed`` (see ``missed_objects``) of objects.
    """
    kinds = prediction_kinds(case)[0]
    counts = {
        name: np.bincount(case.labels[kinds == kind], minlength=num_classes)
        for kind, name in enumerate(KINDS)
    }
    found = case.taken[0][kinds == RIGHT]
    for name, chosen in (
        ('objects', ~case.crowd),
        ('found', found),
        ('missed', missed_objects(case)),
    ):
        counts[name] = np.bincount(case.object_labels[chosen], minlength=num_classes)
    return counts
