"""Benchmarks that no other test starts."""

from pathlib import Path

import pytest
from tool_runs import run_here

from mmcico.testing.inference import write_small_model

ROOT = Path(__file__).parents[2]
DEMO = ROOT / 'configs/demo/cico-yolact_demo_moving-shapes.py'


@pytest.mark.slow
def test_memory_by_length(capsys):
    args = ('benchmarks/memory_by_length.py', DEMO, '--lengths', '3', '--size', '64', '96')
    assert run_here(*args) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith('| 3 | ') and lines[-1] == 'last over first: 1.000'


def test_benchmark_of_testing(tmp_path, capsys):
    config, weights = write_small_model(tmp_path)
    frames = tmp_path / 'data'
    args = ('--out', frames, '--num-videos', '1', '--num-frames', '5', '--size', '64', '96')
    assert run_here('dataset_tools/make_moving_shapes.py', *args) == 0
    video = frames / 'JPEGImages' / '00000'
    assert run_here('analysis_tools/benchmark.py', config, weights, video) == 0
    said = capsys.readouterr().out
    assert '2 clips, ' in said and 'times faster' in said
