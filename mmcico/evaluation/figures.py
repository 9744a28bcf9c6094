"""Figures of the data sets, computed from matches, and their table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmcico.utils.tool import align_rows

from .matching import IOU_THRS, MAX_TRACKS, Group, Matches

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
FEW = (1, 10)  # AR1 and AR10: the best predictions of each video and class
COLUMNS = 9  # figures in a line of the table

Metrics = dict[str, Any]


class Curves(NamedTuple):
    """(T, 101) precision and (T,) recall of one class."""

    precision: np.ndarray
    recall: np.ndarray


def class_curves(matches: Sequence[Matches], group: int, number: int) -> Curves | None:
    """Compute precision over recall of one class and group, None if there is no object to be found.

    The best ``number`` predictions of each video count.
    """
    objects = sum(int(each.objects[group]) for each in matches)
    if objects == 0:
        return None
    scores = np.concatenate([each.scores[:number] for each in matches])
    order = np.argsort(-scores, kind='stable')
    found = np.concatenate([each.found[group, :, :number] for each in matches], axis=1)[:, order]
    ignored = np.concatenate([each.ignored[group, :, :number] for each in matches], axis=1)
    counts = ~ignored[:, order]
    right = np.cumsum(found & counts, axis=1)
    wrong = np.cumsum(~found & counts, axis=1)
    recall = right / objects
    # the official tools guard against 0 / 0 in this way; kept for equal last digits
    precision = right / (right + wrong + np.spacing(1))
    # precision at a recall is the best one at this or any higher recall
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    sampled = np.zeros((len(IOU_THRS), len(RECALL_THRS)))
    for row, points in enumerate(recall):
        at = np.searchsorted(points, RECALL_THRS, side='left')
        reached = at < len(points)
        sampled[row, reached] = precision[row, at[reached]]
    last = recall[:, -1] if len(order) else np.zeros(len(IOU_THRS))
    return Curves(sampled, last)


def _mean(parts: Sequence[np.ndarray]) -> float | None:
    return float(np.mean(parts)) if parts else None


def mean_precision(curves: Iterable[Curves | None]) -> dict[str, float | None]:
    """Return ``AP``, ``AP50`` and ``AP75``, means over the classes that have objects.

    A class without objects has no curves; the figures are in 0..1, None if no class has objects.
    """
    precision = [each.precision for each in curves if each is not None]
    return dict(
        AP=_mean(precision),
        AP50=_mean([each[0] for each in precision]),
        AP75=_mean([each[5] for each in precision]),
    )


def summarize(classes: Mapping[str, Sequence[Matches]], groups: Sequence[Group]) -> Metrics:
    """Compute all figures, as ``evaluate`` describes them, from the matches of some videos.

    ``classes`` has the matches of each class by its name, which were made for the groups.
    """

    def curves(group: int, number: int) -> list[Curves | None]:
        return [class_curves(each, group, number) for each in classes.values()]

    tables = {group.name: curves(index, MAX_TRACKS) for index, group in enumerate(groups)}
    whole = tables.pop('')
    few = {str(number): curves(0, number) for number in FEW}
    metrics: Metrics = mean_precision(whole)
    metrics.update({f'AP{name}': mean_precision(each)['AP'] for name, each in tables.items()})
    for name, table in {**few, str(MAX_TRACKS): whole, **tables}.items():
        metrics[f'AR{name}'] = _mean([each.recall for each in table if each is not None])
    metrics['AP_per_class'] = [each and _mean([each.precision]) for each in whole]
    metrics['classes'] = [*classes]
    return metrics


def short_and_long(short: Metrics, long: Metrics) -> Metrics:
    """Combine the figures of short and long videos of YouTube-VIS 2022, from ``summarize``."""
    both = [each['AP'] for each in (short, long) if each['AP'] is not None]
    metrics: Metrics = dict(
        mAP=sum(both) / 2 if len(both) == 2 else None, mAP_short=short['AP'], mAP_long=long['AP']
    )
    for kind, figures in (('short', short), ('long', long)):
        for name, value in figures.items():
            if name not in ('AP', 'classes'):
                metrics[f'{name}_{kind}'] = value
    metrics['classes'] = short['classes']
    return metrics


def percent(value: float | None, sign: bool = False) -> str:
    """Format a figure in percent, ``-`` for None."""
    if value is None:
        return '-'
    rounded = round(100 * value, 1) + 0.0  # avoids -0.0
    return f'{rounded:+.1f}' if sign else f'{rounded:.1f}'


def format_table(metrics: Metrics) -> str:
    """Format all figures in percent and the AP of each class as a table.

    Args:
        metrics (dict): Figures from ``evaluate``.

    Returns:
        str: Several lines; ``-`` marks figures without ground truth.
    """
    names = [name for name, value in metrics.items() if value is None or isinstance(value, float)]
    lines: list[str] = []
    for kind in ('mAP', 'AP', 'AR'):
        chosen = [name for name in names if name.startswith(kind)]
        # figures of short and long videos have long names
        for start in range(0, len(chosen), COLUMNS):
            part = chosen[start : start + COLUMNS]
            lines += align_rows([['%', *part], ['', *(percent(metrics[n]) for n in part)]])
    tables = [name for name in metrics if name.startswith('AP_per_class')]
    rows = [['class', *(f'AP{name[len("AP_per_class") :]}' for name in tables)]]
    rows += [
        [name, *map(percent, values)]
        for name, *values in zip(metrics['classes'], *(metrics[each] for each in tables))
    ]
    return '\n'.join(lines + [''] + align_rows(rows))
