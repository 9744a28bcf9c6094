"""Figures of several runs as a table."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from tables import Row, Table

Figures = Mapping[str, float]

#: shown as they are; all others are shares, shown in per cent
PLAIN = ('FPS',)


def summarize(values: Sequence[float]) -> dict[str, Any]:
    """Mean and spread of a figure.

    Args:
        values (Sequence[float]): One of each run, at least one.

    Returns:
        dict: ``mean``, ``std`` (of the sample, N - 1; None for one run) and
        ``values``.
    """
    spread = stdev(values) if len(values) > 1 else None
    return dict(mean=mean(values), std=spread, values=list(values))


def summarize_row(runs: Sequence[Figures], metrics: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Mean and spread of each metric over the runs that have it."""
    found = {}
    for name in metrics:
        values = [run[name] for run in runs if run.get(name) is not None]
        if values:
            found[name] = summarize(values)
    return found


def show_figure(summary: Mapping[str, Any] | None, name: str) -> str:
    """``mean +- spread`` in per cent, "-" where there is none."""
    if summary is None:
        return '-'
    scale = 1 if name in PLAIN else 100
    text = f'{summary["mean"] * scale:.1f}'
    if summary['std'] is not None:
        text += f' ± {summary["std"] * scale:.1f}'
    return text


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    rule = ['---'] * len(head)
    return '\n'.join(f'| {" | ".join(line)} |' for line in [head, rule, *lines])


def result_rows(
    rows: Sequence[Row],
    metrics: Sequence[str],
    runs: Mapping[str, Sequence[Figures]],
    failed: Mapping[str, Sequence[int]],
) -> list[dict[str, Any]]:
    """Results of the rows as JSON holds them.

    Args:
        rows (Sequence[Row]): Of the table.
        metrics (Sequence[str]): Names of figures.
        runs (Mapping): Row's name -> figures of each finished run.
        failed (Mapping): Row's name -> seeds that failed.

    Returns:
        list[dict]: ``cells``, ``config``, ``runs`` (how many), ``failed``
        (seeds) and ``metrics``, see :func:`summarize`.
    """
    return [
        dict(
            cells=list(row.cells),
            config=row.name,
            runs=len(runs.get(row.name, [])),
            failed=list(failed.get(row.name, [])),
            metrics=summarize_row(runs.get(row.name, []), metrics),
        )
        for row in rows
    ]


def results_table(table: Table, results: Sequence[dict[str, Any]]) -> str:
    """The table in the paper's form, with the number of runs of each row.

    Args:
        table (Table): The table.
        results (Sequence[dict]): As from :func:`result_rows`.

    Returns:
        str: Markdown.
    """
    head = [*table.columns, *table.metrics, 'runs', 'config']
    lines = []
    for each in results:
        figures = [show_figure(each['metrics'].get(name), name) for name in table.metrics]
        count = str(each['runs'])
        if each['failed']:
            count += f' ({len(each["failed"])} failed)'
        lines.append([*each['cells'], *figures, count, each['config']])
    return markdown(head, lines)


def paper_table(table: Table) -> str:
    """The paper's own figures beside the names of configs, Markdown."""
    head = [*table.columns, *table.metrics, 'config']
    lines = [
        [
            *row.cells,
            *([f'{value:.1f}' for value in row.paper] or ['-'] * len(table.metrics)),
            f'`{row.name}`',
        ]
        for row in table.rows
    ]
    return markdown(head, lines)
