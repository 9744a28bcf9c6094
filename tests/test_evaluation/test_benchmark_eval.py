import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools/benchmarks/benchmark_eval.py'


@pytest.mark.slow
def test_same_figures_as_mmdet_and_both_times(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            str(TOOL),
            '--videos',
            '3',
            '--classes-per-video',
            '2',
            '--out',
            str(tmp_path / 'out.json'),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / 'out.json').read_text())['2']
    ours, theirs = found['mmcico'], found['mmdet']
    assert ours['figures'] == pytest.approx(theirs['figures'], abs=1e-12)
    assert 0 < ours['figures'][0] < 1
    assert min(ours['wall'], theirs['wall'], ours['peak']) > 0
