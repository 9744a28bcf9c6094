"""Run all checks and measurements of a GPU, one after another; see gpu_check.sh.

Each part is a process of its own with a time limit, so that a part that fails or hangs does not
affect the others. The tool writes the numbers of a part to OUT/PART.json, its output to
OUT/PART.txt, and a summary to OUT/gpu_check.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mmcico.utils.tool import run_tool, tool_parser

ROOT = Path(__file__).parents[2]
PAPER = 'configs/cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'
#: frames of a clip, and of two batches of 16 clips with two new frames each
ENOUGH = 3 + 2 * 16 * 2
SMALL = 'configs/demo/cico-yolact_demo_moving-shapes.py'


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('--device', choices=['cuda', 'cpu'], default='cuda')
    parser.add_argument('--config', default=SMALL, help='config of the agreement')
    parser.add_argument('--checkpoint', help='weights of the agreement (default: random ones)')
    parser.add_argument('--out', default='work_dirs/gpu_check', help='folder for the numbers')
    parser.add_argument('--limit', type=float, default=350, help='seconds for all parts together')
    parser.add_argument('--parts', nargs='+', help='parts to run (default: all)')
    args = parser.parse_args(argv)
    known = list(parts(args, ''))
    for name in args.parts or ():
        if name not in known:
            parser.error(f'--parts {name}: the parts on {args.device} are {", ".join(known)}')
    return args


def parts(args: argparse.Namespace, folder: str) -> dict[str, list[str]]:
    """Return the command of each part, the most important part first."""
    on_gpu, out = args.device == 'cuda', Path(args.out)
    tools = 'tools/benchmarks/'
    speed = ['tools/analysis_tools/benchmark.py', PAPER if on_gpu else SMALL]
    small = ['--device', args.device]
    small += [] if on_gpu else ['--size', '64', '96', '--objects', '2']
    small += ['--repeats', '5' if on_gpu else '1']
    checkpoint = args.checkpoint or f'{folder}/untrained.pth'
    found = {
        'tests': ['-m', 'pytest', '-q', '-m', 'gpu', 'tests/test_gpu', '-p', 'no:cacheprovider'],
        'speed_auto': [*speed, *small, '--precision', 'auto', *(['--peers'] if on_gpu else [])],
        'dense': [f'{tools}dense_comparison.py', PAPER if on_gpu else SMALL, *small],
        'training': [
            *(f'{tools}training_speed.py', PAPER if on_gpu else SMALL, '--device', args.device),
            *('--precisions', 'fp32', 'bf16', '--steps', '8' if on_gpu else '1'),
            *([] if on_gpu else ['--size', '64', '96', '--objects', '2']),
        ],
        'agreement': [
            *(f'{tools}agreement.py', args.config, checkpoint),
            *([] if on_gpu else ['--frames', '3', '--ways', 'fp32, CPU, dense', 'bf16, CPU']),
        ],
        'speed_fp32': [*speed, *small],
    }
    if on_gpu:
        for size in ('1', '4', '16'):
            options = ['--precision', 'auto', '--batch-size', size, '--frames', str(ENOUGH)]
            found[f'speed_batch_{size}'] = [*speed, *small, *options]
        found['speed_compiled'] = [*speed, *small, '--precision', 'auto', '--compile']
    else:
        found['dense'] += ['--candidates', '5']
    for name, command in found.items():
        if name != 'tests':
            command += ['--out', str(out / f'{name}.json')]
    return found


def run_part(
    name: str, command: Sequence[str], args: argparse.Namespace, limit: float
) -> dict[str, Any]:
    """Run a part; return its exit code, its seconds and its numbers."""
    start, out = time.perf_counter(), Path(args.out)
    numbers = out / f'{name}.json'
    numbers.unlink(missing_ok=True)  # of an earlier run
    env = {**os.environ, 'MMCICO_TEST_DEVICE': args.device}
    with open(out / f'{name}.txt', 'w') as log:
        try:
            code: int | str = subprocess.run(
                [sys.executable, *command],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=max(limit, 1),
            ).returncode
        except subprocess.TimeoutExpired:
            code = 'time limit'
    text = (out / f'{name}.txt').read_text().strip().splitlines()
    return dict(
        exit=code,
        seconds=time.perf_counter() - start,
        numbers=json.loads(numbers.read_text()) if numbers.is_file() else None,
        end=text[-1] if text else '',
    )


def write_weights(folder: str) -> None:
    """Write random weights of the small config, which find objects everywhere."""
    sys.path.append(str(ROOT / 'tools' / 'analysis_tools'))
    from speed.builders import write_untrained
    from speed.videos import generated

    write_untrained(str(ROOT / SMALL), generated(f'{folder}/video', 3, (96, 160), 2), folder)


def main(argv: Sequence[str]) -> int:
    """Run all parts; return 1 if one of them fails."""
    args = parse_args(argv)
    args.out = str(Path(args.out).resolve())
    Path(args.out).mkdir(parents=True, exist_ok=True)
    end, result = time.perf_counter() + args.limit, {}
    with TemporaryDirectory() as folder:
        if not args.checkpoint:
            write_weights(folder)
        commands = parts(args, folder)
        for name in args.parts or commands:
            left = end - time.perf_counter()
            found = result[name] = run_part(name, commands[name], args, left)
            print(
                f'{name}: exit {found["exit"]}, {found["seconds"]:.0f} s, {found["end"]}',
                flush=True,
            )
            Path(args.out, 'gpu_check.json').write_text(json.dumps(result, indent=1) + '\n')
    return int(any(each['exit'] != 0 for each in result.values()))


if __name__ == '__main__':
    sys.exit(run_tool(main))
