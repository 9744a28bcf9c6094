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


def test_table_of_several_seeds():
    run = dict(AP=0.2, AP50=0.4, steps=100, frames_per_second=10.0, memory=700.4, parameters=2.5e6)
    runs = {'cico-yolact': [run, dict(run, AP=0.3, steps=110)], 'masktrack-rcnn': [run]}
    lines = tool_module(TOOL).table(runs).splitlines()
    mean = '0.250 (0.200 to 0.300) | 0.400 (0.400 to 0.400)'
    assert lines[2:] == [
        f'| CiCo-Yolact | 2 | {mean} | 10.0 | 105 | 700 | 2.5 |',
        '| MaskTrack R-CNN | 1 | 0.200 | 0.400 | 10.0 | 100 | 700 | 2.5 |',
    ]


def test_figures_of_other_settings_are_refused(tmp_path, capsys):
    settings = dict(seconds=9.0, train_videos=2, test_videos=1, seed=3)
    path = tmp_path / 'cico-yolact_3.json'
    args = ('--out', tmp_path, '--train-videos', 2, '--test-videos', 1, '--seconds')
    contents = [json.dumps(dict(settings=dict(settings, seed=4))), '{}', '[]', '{"settings": {"se']
    for content in (json.dumps(dict(settings=settings)), *contents):
        path.write_text(content)
        assert run_here(TOOL, *args, 8 if content not in contents else 9) == 1
        said = capsys.readouterr().err
        assert f'error: {path} ' in said and 'remove the file, or choose another --out' in said
    assert list(tmp_path.iterdir()) == [path]  # nothing is made before


def test_data_of_another_number_of_videos_is_refused(tmp_path, capsys):
    (tmp_path / 'data/train').mkdir(parents=True)
    (tmp_path / 'data/train/instances.json').write_text('{"videos": [{}, {}]}')
    assert run_here(TOOL, '--out', tmp_path, '--train-videos', 3) == 1
    assert 'instances.json has 2 videos, but --train-videos is 3' in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_trains_for_its_time_and_is_tested(tmp_path):
    small = ('--train-videos', 2, '--test-videos', 1, '--seconds', 1.5, '--one')
    begin = time.process_time()
    args = ('--out', tmp_path, '--models', 'cico-yolact', '--seeds', 3, *small)
    assert run_here(TOOL, *args) == 0
    figures = json.loads((tmp_path / 'cico-yolact_3.json').read_text())
    assert figures['settings'] == dict(seconds=1.5, train_videos=2, test_videos=1, seed=3)
    assert 1.5 <= figures['seconds'] < time.process_time() - begin
    assert figures['steps'] >= 1 and figures['frames_per_second'] > 0
    assert 0 <= figures['AP'] <= figures['AP50'] <= 1
