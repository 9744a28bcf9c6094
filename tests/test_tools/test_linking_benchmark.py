"""The benchmark of linkers, on two short videos."""

import contextlib
import io
import json

import pytest
from tool_runs import run_here

TOOL = 'benchmarks/linking_benchmark.py'
#: no errors but that every object vanishes once
NOISE = (
    *('miss', 'miss-hidden', 'false', 'wrong-class', 'jitter', 'shift', 'swell', 'embed-noise'),
    'drift',
)
OPTIONS = {'num-videos': [2], 'num-frames': [24], 'size': [48, 80], 'seeds': [7], 'overlap': [1]}
OPTIONS |= {'vanish': [1], **dict.fromkeys(NOISE, [0])}


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    out = tmp_path_factory.mktemp('linking') / 'report.json'
    words = [word for name, values in OPTIONS.items() for word in (f'--{name}', *values)]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        assert run_here(TOOL, *words, '--out', out) == 0
    return text.getvalue(), json.loads(out.read_text())


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
