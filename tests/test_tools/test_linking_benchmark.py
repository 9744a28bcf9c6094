"""The benchmark of linkers, on two short videos."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools/benchmarks/linking_benchmark.py'


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    out = tmp_path_factory.mktemp('linking') / 'report.json'
    command = [
        sys.executable,
        TOOL,
        '--num-videos',
        '2',
        '--num-frames',
        '24',
        '--size',
        '48',
        '80',
        '--seeds',
        '7',
        '--overlap',
        '1',
        '--miss',
        '0',
        '--miss-hidden',
        '0',
        '--false',
        '0',
        '--wrong-class',
        '0',
        '--jitter',
        '0',
        '--shift',
        '0',
        '--swell',
        '0',
        '--embed-noise',
        '0',
        '--drift',
        '0',
        '--vanish',
        '1',
        '--out',
        out,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(out.read_text())


def test_clean_detections_need_memory_only(report):
    _, found = report
    rows = {name: each[0] for name, each in found['overlap 1'].items()}
    assert list(rows) == ['paper', 'published', 'long_memory', 'evidence']
    assert rows['long_memory']['switches'] == 0
    assert rows['evidence']['switches'] == 0
    assert rows['long_memory']['AP'] > rows['paper']['AP']
    assert rows['paper']['switches'] > 0  # everything vanishes once
    assert len({row['objects'] for row in rows.values()}) == 1


def test_the_table_is_markdown(report):
    text, found = report
    row = found['overlap 1']['paper'][0]
    assert '| linker | switches | fragments | AP | AP50 |' in text
    assert f'| paper | {row["switches"]} ± 0 |' in text
    assert found['settings']['seeds'] == [7]
