"""Comparison with MMDetection's models: figures of tiny trainings, and the table."""

import json
import time

import pytest
from tool_runs import run_here, tool_module

TOOL = 'benchmarks/compare_peers.py'


def test_learning_rate_by_share_of_the_time():
    factor = tool_module(TOOL).rate_factor
    assert [factor(share) for share in (0, 0.03, 0.06, 1, 1.1)] == pytest.approx(
        [0.01, 0.505, 1, 0.01, 0.01]
    )
    assert factor(0.53) == pytest.approx(0.505)  # half of the cosine


def test_table_of_several_seeds(tmp_path):
    run = dict(AP=0.2, AP50=0.4, steps=100, frames_per_second=10.0, memory=700.4, parameters=2.5e6)
    (tmp_path / 'cico-yolact_0.json').write_text(json.dumps(run))
    (tmp_path / 'cico-yolact_1.json').write_text(json.dumps(dict(run, AP=0.3, steps=110)))
    (tmp_path / 'masktrack-rcnn_0.json').write_text(json.dumps(run))
    lines = tool_module(TOOL).table(tmp_path).splitlines()
    mean = '0.250 (0.200 to 0.300) | 0.400 (0.400 to 0.400)'
    assert lines[2:] == [
        f'| CiCo-Yolact | 2 | {mean} | 10.0 | 105 | 700 | 2.5 |',
        '| MaskTrack R-CNN | 1 | 0.200 | 0.400 | 10.0 | 100 | 700 | 2.5 |',
    ]


@pytest.mark.slow
def test_a_run_trains_for_its_time_and_is_tested(tmp_path):
    small = ('--train-videos', 2, '--test-videos', 1, '--seconds', 1.5, '--one')
    begin = time.process_time()
    args = ('--out', tmp_path, '--models', 'cico-yolact', '--seeds', 3, *small)
    assert run_here(TOOL, *args) == 0
    figures = json.loads((tmp_path / 'cico-yolact_3.json').read_text())
    assert 1.5 <= figures['seconds'] < time.process_time() - begin
    assert figures['steps'] >= 1 and figures['frames_per_second'] > 0
    assert 0 <= figures['AP'] <= figures['AP50'] <= 1
