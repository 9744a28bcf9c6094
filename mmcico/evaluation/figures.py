"""From matches of videos and classes to the figures of the data sets."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .matching import IOU_THRS, MAX_TRACKS, Group, Matches
from .vis_tables import Place

RECALL_THRS = np.linspace(0.0, 1.0, 101)
ALL = Group('')
SIZES = (
    Group('s', areas=(0.0, 128.0**2)),
    Group('m', areas=(128.0**2, 256.0**2)),
    Group('l', areas=(256.0**2, 1e10)),
)
OCCLUSIONS = (
    Group('_light', occlusion=(0.0, 0.25)),
    Group('_medium', occlusion=(0.25, 0.5)),
    Group('_heavy', occlusion=(0.5, 1.0)),
)
GROUPS = dict(ytvis=(ALL,) + SIZES, ovis=(ALL,) + SIZES + OCCLUSIONS, ytvis2022=(ALL,) + SIZES)
FEW = (1, 10)  # AR1 and AR10: only the best of each video and class

Metrics = dict[str, Any]


class Curves(NamedTuple):
    """Figures of one class: (T, 101) precision and (T,) recall."""

    precision: np.ndarray
    recall: np.ndarray


def summarize(
    matches: dict[Place, Matches],
    videos: Sequence[int],
    names: Sequence[str],
    groups: Sequence[Group],
) -> Metrics:
    """Figures over some videos.

    Args:
        matches (dict): By video and category.
        videos (Sequence[int]): Positions of the videos, in order.
        names (Sequence[str]): Of the categories.
        groups (Sequence[Group]): That the matches were made for.

    Returns:
        dict: As ``evaluate`` says.
    """
    tables: dict[str, list[Curves | None]] = {}
    for category in range(len(names)):
        chosen = [matches[video, category] for video in videos if (video, category) in matches]
        for index, group in enumerate(groups):
            tables.setdefault(group.name, []).append(class_curves(chosen, index, MAX_TRACKS))
        for number in FEW:
            tables.setdefault(str(number), []).append(class_curves(chosen, 0, number))
    return _means(tables, groups, names)


def class_curves(matches: list[Matches], group: int, number: int) -> Curves | None:
    """Precision over recall of one class and group.

    Args:
        matches (list[Matches]): Of the videos.
        group (int): Position of the group.
        number (int): Look at this many predictions of each video.

    Returns:
        Curves | None: None if there is no object to be found.
    """
    objects = sum(int(each.objects[group]) for each in matches)
    if objects == 0:
        return None
    scores = np.concatenate([each.scores[:number] for each in matches])
    order = np.argsort(-scores, kind='stable')
    found = np.concatenate([each.found[group, :, :number] for each in matches], axis=1)[:, order]
    counts = ~np.concatenate([each.ignored[group, :, :number] for each in matches], axis=1)[
        :, order
    ]
    right = np.cumsum(found & counts, axis=1)
    wrong = np.cumsum(~found & counts, axis=1)
    recall = right / objects
    # the official tools' guard against 0 / 0, kept for equal last digits
    precision = right / (right + wrong + np.spacing(1))
    # precision at a recall is the best at this or any higher recall
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    sampled = np.zeros((len(IOU_THRS), len(RECALL_THRS)))
    for row, points in enumerate(recall):
        at = np.searchsorted(points, RECALL_THRS, side='left')
        reached = at < len(points)
        sampled[row, reached] = precision[row, at[reached]]
    last = recall[:, -1] if len(order) else np.zeros(len(IOU_THRS))
    return Curves(sampled, last)


def _mean(parts: list[np.ndarray]) -> float | None:
    return float(np.mean(parts)) if parts else None


def _means(
    tables: dict[str, list[Curves | None]], groups: Sequence[Group], names: Sequence[str]
) -> Metrics:
    """Means over the classes that have objects."""
    known = {
        table: [curves for curves in each if curves is not None] for table, each in tables.items()
    }
    precision = [curves.precision for curves in known.get('', [])]
    metrics: Metrics = dict(
        AP=_mean(precision),
        AP50=_mean([each[0] for each in precision]),
        AP75=_mean([each[5] for each in precision]),
    )
    parts = {group.name: group.name for group in groups[1:]}
    for part in parts:
        metrics[f'AP{part}'] = _mean([curves.precision for curves in known.get(part, [])])
    labels = {**{str(n): str(n) for n in FEW}, '': str(MAX_TRACKS), **parts}
    for table, label in labels.items():
        metrics[f'AR{label}'] = _mean([curves.recall for curves in known.get(table, [])])
    metrics['AP_per_class'] = [
        curves and _mean([curves.precision]) for curves in tables.get('', [])
    ]
    metrics['classes'] = [*names]
    return metrics


def short_and_long(short: Metrics, long: Metrics) -> Metrics:
    """Figures of YouTube-VIS 2022: of both kinds of videos, on their own.

    Args:
        short (dict): What ``summarize`` says of the short videos.
        long (dict): The same of the long ones.

    Returns:
        dict: As ``evaluate`` says.
    """
    both = short['AP'], long['AP']
    known: tuple[float, ...] = tuple(each for each in both if each is not None)
    metrics: Metrics = dict(
        mAP=sum(known) / 2 if len(known) == 2 else None, mAP_short=short['AP'], mAP_long=long['AP']
    )
    for kind, figures in (('short', short), ('long', long)):
        for name, value in figures.items():
            if name not in ('AP', 'classes'):
                metrics[f'{name}_{kind}'] = value
    metrics['classes'] = short['classes']
    return metrics
