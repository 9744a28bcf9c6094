"""Measure the peak memory of tests on videos of different lengths.

    python tools/benchmarks/memory_by_length.py CONFIG --checkpoint FILE

Each length is tested in a process of its own on one generated video, with the runner of
tools/test.py. The test loads frames, finds and links instances, encodes masks and writes results.
Only the encoded results grow with the video; the table shows their size.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmcico.datasets.moving_shapes import make_config, write_dataset
from mmcico.utils.launch import read_config
from mmcico.utils.tool import positive_int, run_tool, tool_parser, write_output

sys.path.append(str(Path(__file__).parents[1] / 'analysis_tools'))

from speed.measures import resident_peak


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--checkpoint', help='weights of the model (default: random ones)')
    parser.add_argument(
        '--lengths', type=positive_int, nargs='+', default=[50, 500], metavar='FRAMES'
    )
    parser.add_argument('--size', type=positive_int, nargs=2, default=[96, 160], metavar=('H', 'W'))
    parser.add_argument('--out', help='JSON file for the numbers')
    parser.add_argument('--folder', help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def point_at(cfg: Config, folder: str) -> None:
    """Change a config so that it tests the video in a folder within this process."""
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.test_dataloader.dataset.update(
        data_root=folder, ann_file='instances.json', data_prefix=dict(img='JPEGImages')
    )
    cfg.test_evaluator = dict(type='mmcico.VISMetric', outdir=folder, format_only=True)
    cfg.work_dir = folder


def measure(args: argparse.Namespace) -> None:
    """Test the video of a folder and print the result as the last line."""
    cfg = read_config(args.config)
    point_at(cfg, args.folder)
    cfg.load_from = args.checkpoint
    Runner.from_cfg(cfg).test()
    peak = resident_peak()
    size = (Path(args.folder) / 'results.json').stat().st_size / 2**20
    sys.stdout.write('\n' + json.dumps(dict(peak=peak, results=size)) + '\n')


def measure_length(args: argparse.Namespace, length: int) -> dict:
    """Generate a video and test it in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(
            folder, 1, seed=3, config=make_config(num_frames=length, size=tuple(args.size))
        )
        command = [
            sys.executable,
            __file__,
            args.config,
            '--folder',
            folder,
            *(['--checkpoint', args.checkpoint] if args.checkpoint else []),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(f'testing {length} frames failed:\n{done.stderr[-2000:]}')
    return json.loads(done.stdout.splitlines()[-1])


def main(argv: Sequence[str]) -> None:
    """Measure every length and print a table."""
    args = parse_args(argv)
    if args.folder:
        return measure(args)
    found = {}
    print('| frames | peak resident memory, MiB | results, MiB |')
    print('| --- | --- | --- |')
    for length in args.lengths:
        found[length] = measure_length(args, length)
        print(
            f'| {length} | {found[length]["peak"]:.0f} | {found[length]["results"]:.2f} |',
            flush=True,
        )
    peaks = [found[length]['peak'] for length in args.lengths]
    text = f'\nlast over first: {peaks[-1] / peaks[0]:.3f}'
    write_output(text, found, args.out, sys.stdout)


if __name__ == '__main__':
    sys.exit(run_tool(main))
