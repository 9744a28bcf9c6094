"""Compare the time and memory of measuring results with MMDetection's YTVISeval.

    python tools/benchmarks/benchmark_eval.py

The benchmark writes files of many videos, measures them with both tools, one after another in a
process of its own, and compares the figures. The time includes reading the files, but not importing
packages.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcico.utils.files import write_whole
from mmcico.utils.tool import positive_int, run_tool, tool_parser

FIGURES = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl')


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--videos', type=positive_int, default=300)
    parser.add_argument(
        '--classes-per-video',
        type=positive_int,
        nargs='+',
        default=[1],
        help='numbers of classes, one table row for each (default: 1); with fewer classes, more '
        'pairs of tracks are compared',
    )
    parser.add_argument(
        '--processes', type=positive_int, default=2, help='number of processes of mmcico'
    )
    parser.add_argument('--out', help='JSON file for the numbers')
    parser.add_argument('--measure', nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def by_mmcico(files: list[str], processes: int) -> list[Any]:
    """Return the figures by the functions that tools/eval.py calls."""
    from mmcico import evaluation

    start()
    metrics, _ = evaluation.measure_files(*files, processes=processes)
    return [metrics[name] for name in FIGURES]


def by_mmdet(files: list[str], processes: int) -> list[Any]:
    """Return the figures by MMDetection, which needs a name that NumPy has removed."""
    import mmcico.compat  # noqa: F401

    import numpy as np

    np.float = float
    from mmdet.evaluation.functional import YTVIS, YTVISeval

    start()
    with contextlib.redirect_stdout(io.StringIO()):
        truth = YTVIS(files[0])
        evaluation = YTVISeval(truth, truth.loadRes(files[1]))
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [None if x < 0 else float(x) for x in evaluation.stats]


TOOLS = dict(mmcico=by_mmcico, mmdet=by_mmdet)
STARTED: dict[str, float] = {}


def start() -> None:
    """Start the clocks, after the packages are imported."""
    STARTED.update(wall=time.perf_counter(), cpu=cpu_time())


def cpu_time() -> float:
    """Return the CPU seconds of this process and of its finished children."""
    return sum(os.times()[:4])


def peak_memory() -> float:
    """Return the peak memory of this process in MiB."""
    try:  # the peak of the resource module includes the process that started this one
        status = Path('/proc/self/status').read_text()
        return int(status.split('VmHWM:')[1].split()[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(tool: str, args: argparse.Namespace) -> None:
    """Run one tool in this process and print the result as the last line."""
    folder = Path(args.measure[1])
    files = [str(folder / name) for name in ('gt.json', 'results.json')]
    figures = TOOLS[tool](files, args.processes)
    answer = dict(
        figures=figures,
        wall=time.perf_counter() - STARTED['wall'],
        cpu=cpu_time() - STARTED['cpu'],
        peak=peak_memory(),
        peak_of_child=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    )
    sys.stdout.write('\n' + json.dumps(answer) + '\n')


def run(tool: str, folder: str, processes: int) -> dict[str, Any]:
    """Run one tool in a new process."""
    command = [sys.executable, __file__, '--measure', tool, folder, '--processes', str(processes)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{tool} failed:\n{done.stderr[-2000:]}')
    return json.loads(done.stdout.splitlines()[-1])


def compare(args: argparse.Namespace, classes: int) -> tuple[dict[str, Any], float]:
    """Run both tools on the same files; return their numbers and the largest difference."""
    from eval_files import Plan, write_eval_files

    with tempfile.TemporaryDirectory() as folder:
        write_eval_files(Path(folder), Plan(videos=args.videos, classes_per_video=classes))
        found = {name: run(name, folder, args.processes) for name in TOOLS}
    pairs = list(zip(*(found[name]['figures'] for name in TOOLS)))
    gap = max(
        float('inf') if (a is None) != (b is None) else abs((a or 0) - (b or 0)) for a, b in pairs
    )
    return found, gap


def print_table(args: argparse.Namespace) -> int:
    """Print a table; return 1 if the figures differ."""
    rows, largest = {}, 0.0
    print(
        '| classes a video | mmdet, s | mmcico, s | times as fast | CPU, s |'
        ' peak memory, MiB (mmdet; mmcico + child) | largest difference |'
    )
    print('| --- | --- | --- | --- | --- | --- | --- |')
    for classes in args.classes_per_video:
        found, gap = compare(args, classes)
        ours, theirs = found['mmcico'], found['mmdet']
        print(
            f'| {classes} | {theirs["wall"]:.1f} | {ours["wall"]:.1f} | '
            f'{theirs["wall"] / ours["wall"]:.1f} | {theirs["cpu"]:.1f}; '
            f'{ours["cpu"]:.1f} | {theirs["peak"]:.0f}; {ours["peak"]:.0f} + '
            f'{ours["peak_of_child"]:.0f} | {gap:.1e} |',
            flush=True,
        )
        rows[classes], largest = found, max(largest, gap)
    if args.out:
        write_whole(args.out, json.dumps(rows, indent=1) + '\n')
    return int(largest > 1e-9)


def main(argv: Sequence[str]) -> int:
    """Measure one tool in this process, or print the table of both."""
    args = parse_args(argv)
    if args.measure:
        measure(args.measure[0], args)
        return 0
    return print_table(args)


if __name__ == '__main__':
    sys.exit(run_tool(main))
