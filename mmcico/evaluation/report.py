"""Figures as plain text."""
from typing import Any, Dict, List, Optional, Sequence


def _percent(value: Optional[float]) -> str:
    return '-' if value is None else f'{100 * value:.1f}'


def align_rows(rows: Sequence[Sequence[str]]) -> List[str]:
    """Lines of a table: first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        '  '.join([row[0].ljust(widths[0])] +
                  [cell.rjust(w) for cell, w in zip(row[1:], widths[1:])])
        for row in rows
    ]


def format_table(metrics: Dict[str, Any]) -> str:
    """Table of all figures in percent and of the AP of each class.

    Args:
        metrics (dict): What ``evaluate`` returned.

    Returns:
        str: Several lines; ``-`` where there is no ground truth.
    """
    names = [name for name in metrics if name != 'AP_per_class']
    lines: List[str] = []
    for kind in ('AP', 'AR'):
        chosen = [name for name in names if name.startswith(kind)]
        lines += align_rows([['%', *chosen],
                             ['', *(_percent(metrics[n]) for n in chosen)]])
    classes = metrics['AP_per_class']
    rows = [['class', 'AP']]
    rows += [[name, _percent(value)] for name, value in classes.items()]
    return '\n'.join(lines + [''] + align_rows(rows))
