"""The benchmark of memory, on a short stream."""

import json
from itertools import islice

import numpy as np
import pytest
from tool_runs import run_here, tool_module

from mmcico.testing import write_small_model

TOOL = 'benchmarks/memory_of_stream.py'


@pytest.fixture(scope='module')
def tool():
    return tool_module(TOOL)


def arguments(folder, *args):
    config, weights = write_small_model(folder)
    return [
        weights,
        '--model',
        config,
        '--device',
        'cpu',
        '--frames',
        '9',
        '--every',
        '4',
        '--distinct',
        '3',
        '--size',
        '48',
        '80',
        '--out',
        folder / 'found',
        *args,
    ]


def test_a_short_stream(tmp_path):
    assert run_here(TOOL, *arguments(tmp_path, '--tracks', '--input-size', '64', '96')) == 0
    found = json.loads((tmp_path / 'found.json').read_text())
    assert [frames for frames, _ in found['curve']] == [4, 8, 9]
    assert found['peak'] == max(value for _, value in found['curve'])
    assert found['limit'] == 1536 and found['start'] > 100
    assert found['objects'] > 0
    assert found['settings']['input_size'] == [64, 96]
    curves = {path.suffix for path in tmp_path.glob('found.*')} - {'.json'}
    assert curves in ({'.png'}, {'.txt'})


def test_a_rise_above_the_limit_fails(tmp_path, capfd):
    assert run_here(TOOL, *arguments(tmp_path, '--limit', '-9')) == 1
    assert 'above the limit of -9.0 GiB' in capfd.readouterr().err
    assert (tmp_path / 'found.json').exists()


def test_frames_go_forwards_and_backwards(tool):
    frames = np.arange(4)
    order = [int(each) for each in islice(tool.forwards_and_backwards(frames), 9)]
    assert order == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    alone = list(islice(tool.forwards_and_backwards(frames[:1]), 3))
    assert alone == [0, 0, 0]


def test_slope_by_hand(tool):
    flat = [[10 * i, 50.0] for i in range(10)]
    # 900 MiB in the first half do not count
    leak = [[10 * i, 900.0 if i < 5 else 2.0 * i] for i in range(10)]
    assert tool.slope(flat) == pytest.approx(0)
    assert tool.slope(leak) == pytest.approx(200)
    assert tool.slope([[1, 5.0]]) == 0


def test_the_curve_as_text(tool):
    text = tool.text_curve([[1, 5.0], [2, 20.0], [3, -3.0]], lines=3)
    rows = [line.split() for line in text.splitlines()[1:]]
    assert rows[0] == ['1', '5.0', '#' * 12]
    assert rows[1] == ['2', '20.0', '#' * 50]
    assert rows[2] == ['3', '-3.0']
    assert len(tool.text_curve([[i, 1.0] for i in range(99)]).splitlines()) == 26


def test_memory_is_seen(tool):
    before = tool.resident()
    block = np.ones(20_000_000)  # so large that it is never memory that was freed before
    assert tool.resident() - before == pytest.approx(block.nbytes / 2**20, rel=0.2)
