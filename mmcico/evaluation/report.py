"""Figures as plain text."""

from collections.abc import Sequence
from typing import Any

COLUMNS = 9  # figures in a line


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{100 * value:.1f}'


def align_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        '  '.join(
            [row[0].ljust(widths[0])] + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:])]
        )
        for row in rows
    ]


def format_table(metrics: dict[str, Any]) -> str:
    """Table of all figures in percent and of the AP of each class.

    Args:
        metrics (dict): What ``evaluate`` returned.

    Returns:
        str: Several lines; ``-`` where there is no ground truth.
    """
    names = [name for name, value in metrics.items() if _is_figure(value)]
    lines: list[str] = []
    for kind in ('mAP', 'AP', 'AR'):
        chosen = [name for name in names if name.startswith(kind)]
        # figures of short and long videos make long names
        for start in range(0, len(chosen), COLUMNS):
            part = chosen[start : start + COLUMNS]
            lines += align_rows([['%', *part], ['', *(_percent(metrics[n]) for n in part)]])
    tables = [name for name in metrics if name.startswith('AP_per_class')]
    rows = [['class', *(f'AP{name[len("AP_per_class") :]}' for name in tables)]]
    rows += [
        [name, *map(_percent, values)]
        for name, *values in zip(metrics['classes'], *(metrics[each] for each in tables))
    ]
    return '\n'.join(lines + [''] + align_rows(rows))


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, float)
