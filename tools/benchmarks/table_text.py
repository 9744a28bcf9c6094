"""Tables of the figures of several runs."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from tables import Row, Table

Figures = Mapping[str, float]

#: figures that are printed unchanged; all others are shares, printed in per cent
PLAIN = ('FPS',)


def summarize(values: Sequence[float]) -> dict[str, Any]:
    """Return mean and spread of a figure.

    Args:
        values (Sequence[float]): The figure of each run, at least one.

    Returns:
        dict: ``mean``, ``std`` (of the sample, N - 1; None for one run) and ``values``.
    """
    spread = stdev(values) if len(values) > 1 else None
    return dict(mean=mean(values), std=spread, values=list(values))


def summarize_row(runs: Sequence[Figures], metrics: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return mean and spread of each metric over the runs that have it."""
    found = {name: [run[name] for run in runs if run.get(name) is not None] for name in metrics}
    return {name: summarize(values) for name, values in found.items() if values}


def show_figure(summary: Mapping[str, Any] | None, name: str) -> str:
    """Return mean and spread as text in per cent, "-" if there is no figure."""
    if summary is None:
        return '-'
    scale = 1 if name in PLAIN else 100
    text = f'{summary["mean"] * scale:.1f}'
    if summary['std'] is not None:
        text += f' ± {summary["std"] * scale:.1f}'
    return text


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rule = ['---'] * len(head)
    return '\n'.join(f'| {" | ".join(line)} |' for line in [head, rule, *lines])


def result_rows(
    rows: Sequence[Row],
    metrics: Sequence[str],
    runs: Mapping[str, Sequence[Figures]],
    failed: Mapping[str, Sequence[int]],
) -> list[dict[str, Any]]:
    """Return the results of the rows for a JSON file.

    Args:
        rows (Sequence[Row]): Rows of the table.
        metrics (Sequence[str]): Names of figures.
        runs (Mapping): Figures of each finished run, by the name of the row.
        failed (Mapping): Seeds that failed, by the name of the row.

    Returns:
        list[dict]: ``cells``, ``config``, ``runs`` (their number), ``failed`` (seeds) and
        ``metrics`` (see :func:`summarize`) of each row.
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
    """Return the table in the form of the paper, with the number of runs of each row.

    Args:
        table (Table): The table.
        results (Sequence[dict]): Result of :func:`result_rows`.

    Returns:
        str: The table in Markdown.
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
    """Return a table in Markdown with the figures of the paper and the names of the configs."""
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
