import json

import pytest
from tool_runs import run_here


@pytest.mark.slow
def test_same_figures_as_mmdet_and_both_times(tmp_path):
    sizes = ('--videos', 3, '--classes-per-video', 2)
    assert run_here('benchmarks/benchmark_eval.py', *sizes, '--out', tmp_path / 'out.json') == 0
    found = json.loads((tmp_path / 'out.json').read_text())['2']
    ours, theirs = found['mmcico'], found['mmdet']
    assert ours['figures'] == pytest.approx(theirs['figures'], abs=1e-12)
    assert 0 < ours['figures'][0] < 1
    assert min(ours['wall'], theirs['wall'], ours['peak']) > 0
