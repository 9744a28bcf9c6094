"""Runs tools where no OpenMMLab package can be imported."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HIDDEN = ('mmengine', 'mmcv', 'mmdet', 'torch')


def run_hidden(folder, tool, *args):
    """Run ``tools/<tool>`` in a folder; the finished process."""
    stubs = Path(folder) / 'stubs'
    stubs.mkdir(exist_ok=True)
    for name in HIDDEN:
        (stubs / f'{name}.py'
         ).write_text(f'raise ImportError("{name} was imported")\n')
    env = dict(os.environ, PYTHONPATH=str(stubs), OMP_NUM_THREADS='1')
    return subprocess.run(
        [sys.executable,
         str(ROOT / 'tools' / tool), *map(str, args)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True)
