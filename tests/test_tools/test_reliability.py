"""Short forms of the kill test and of the soak; the long ones are in docs/en/training.md."""

import json
import subprocess
import sys

import pytest
from tool_runs import TOOLS


def run(name, *args):
    command = [sys.executable, TOOLS / 'benchmarks' / name, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_killed_trainings_and_tests_end_as_undisturbed_ones(tmp_path):
    done = run(
        *('kill_test.py', '--times', 1, '--steps', 4, '--videos', 2, '--folder', tmp_path / 'kill')
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == 'unequal to the undisturbed runs: none'
    assert [line.split(':')[0] for line in lines if 'killed after' in line] == ['train', 'test']
    assert list((tmp_path / 'kill' / 'train_0').glob('*.pth')) == [
        tmp_path / 'kill' / 'train_0' / 'iter_4.pth'
    ]
    assert json.loads((tmp_path / 'kill' / 'test_0' / 'results.json').read_text())


@pytest.mark.slow
def test_passes_of_all_uses_are_equal(tmp_path):
    done = run(
        *('soak.py', '--minutes', 0.01, '--videos', 2, '--frames', 4, '--out', tmp_path / 'soak')
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'results differ: none' in done.stdout
    found = json.loads((tmp_path / 'soak.json').read_text())
    assert found['passes'] == len(found['curve']) >= 1
    assert all(len(values) == 1 for values in found['digests'].values())
    assert found['digests'].keys() == {'predict', 'stream', 'test'}
