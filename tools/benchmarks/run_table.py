"""Train and test the models of a table, and print the table in the form of the paper.

    python tools/benchmarks/run_table.py 1a --out table1a.json

Complete trainings and tests are not repeated, so the tool can be started again after a stop.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from mmengine.config import DictAction
from table_runs import RunFailed, Settings, TableRunner, write_json
from tables import Row, Table, choose_rows, load_table

from mmcico.utils.tool import markdown_table, natural_int, positive_int, run_tool, tool_parser

ROOT = Path(__file__).resolve().parents[2]
Figures = Mapping[str, float]

#: figures that are printed unchanged; all others are shares, printed in per cent
PLAIN = ('FPS',)


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__ and __doc__.splitlines()[0])
    parser.add_argument('table', help='name of the table in the file of tables, such as 1a or fig5')
    parser.add_argument(
        '--tables',
        default=str(ROOT / 'configs' / 'ablations' / 'tables.json'),
        help='file of tables',
    )
    parser.add_argument('--base', help='config that the rows change (default: that of each row)')
    parser.add_argument('--rows', nargs='+', help='names of the configs of the rows (default: all)')
    parser.add_argument('--seeds', nargs='+', type=natural_int, default=[0])
    parser.add_argument(
        '--frames-per-step',
        type=positive_int,
        help='number of frames of a training step, equal for all clip lengths; the batch size is '
        'this divided by T',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch'],
        default='none',
        help='pytorch: run in several processes by tools/dist_*.sh',
    )
    parser.add_argument(
        '--gpus', type=positive_int, default=1, help='number of processes of --launcher'
    )
    parser.add_argument('--work-dir', help='default: work_dirs/tables/<base or "paper">')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of all configs: key=value ...',
    )
    parser.add_argument('--out', help='JSON file for the results')
    parser.add_argument('--show', action='store_true', help='print finished runs, run nothing')
    parser.add_argument(
        '--paper', action='store_true', help='print the figures of the paper, run nothing'
    )
    return parser.parse_args(argv)


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings of all runs from the command line."""
    name = Path(args.base).stem if args.base else 'paper'
    return Settings(
        work_dir=Path(args.work_dir or f'work_dirs/tables/{name}'),
        tools=ROOT / 'tools',
        base=args.base,
        frames_per_step=args.frames_per_step,
        options=args.cfg_options,
        processes=args.gpus if args.launcher == 'pytorch' else 0,
    )


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
    return markdown_table([head, *lines])


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
    return markdown_table([head, *lines])


def report(
    table: Table,
    rows: Sequence[Row],
    runner: TableRunner,
    seeds: Sequence[int],
    failed: dict[str, list[int]],
    out: str,
) -> str:
    """Return the table of all finished runs, and write it to ``out``."""
    runs = {}
    for row in rows:
        found = [runner.figures(row, seed) for seed in seeds]
        runs[row.name] = [each for each in found if each is not None]
    results = result_rows(rows, table.metrics, runs, failed)
    if out:
        content = dict(
            title=table.title,
            base=runner.settings.base,
            seeds=list(seeds),
            frames_per_step=runner.settings.frames_per_step,
            rows=results,
        )
        write_json(Path(out), content)
    return results_table(table, results)


def run_rows(
    args: argparse.Namespace, table: Table, rows: Sequence[Row], runner: TableRunner
) -> dict[str, list[int]]:
    """Run every row with every seed; return the seeds that failed by row."""
    failed: dict[str, list[int]] = {}
    for row in rows:  # an error in a config shows before the first training
        runner.prepare(row, args.seeds[0])
    for seed in args.seeds:
        for row in rows:
            print(f'{row.name}, seed {seed}', file=sys.stderr, flush=True)
            try:
                runner.run(row, seed)
            except RunFailed as error:
                failed.setdefault(row.name, []).append(seed)
                print(f'failed: {error}', file=sys.stderr, flush=True)
            report(table, rows, runner, args.seeds, failed, args.out)
    return failed


def main(argv: Sequence[str]) -> int:
    """Run the rows of a table and print it."""
    args = parse_args(argv)
    table = load_table(args.tables, args.table)
    rows = choose_rows(table, args.rows)
    if args.paper:
        print(paper_table(table))
        return 0
    runner = TableRunner(settings_of(args))
    failed = {} if args.show else run_rows(args, table, rows, runner)
    print(report(table, rows, runner, args.seeds, failed, args.out))
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(run_tool(main))
