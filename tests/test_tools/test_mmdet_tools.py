"""MMDetection's tools with our configs, and the commands in place of those that fail."""

import json
import re
import subprocess
import sys
from pathlib import Path

import mmdet
import pytest
import torch
from tool_runs import run_here

from mmcico.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
THEIRS = Path(mmdet.__file__).parent / '.mim' / 'tools'
DEMO = ROOT / 'configs' / 'demo' / 'cico-yolact_demo_moving-shapes.py'
PAGE = (ROOT / 'docs' / 'en' / 'mmdet_tools.md').read_text()


def run_theirs(name, *args):
    return subprocess.run(
        [sys.executable, str(THEIRS / name), *map(str, args)], capture_output=True, text=True
    )


def test_page_names_tools_and_commands_that_exist():
    tools = re.findall(r'^\| `(\w+/\w+\.py)`', PAGE, re.M)
    assert len(tools) == 8 and all((THEIRS / each).is_file() for each in tools)
    commands = set(re.findall(r'`mmcico (\w+)', PAGE))
    assert {'publish', 'flops', 'browse', 'benchmark', 'analyze', 'stats'} == commands
    assert commands <= set(COMMANDS)


@pytest.mark.slow
def test_tools_that_run_unchanged(tmp_path):
    done = run_theirs('misc/print_config.py', DEMO)
    assert done.returncode == 0 and "type='mmcico.CiCo'" in done.stdout
    log = tmp_path / 'scalars.json'
    lines = [dict(loss=3.0 / step, time=0.5, iter=step, step=step) for step in (1, 2)]
    log.write_text(''.join(json.dumps(each) + '\n' for each in lines))
    done = run_theirs('analysis_tools/analyze_logs.py', 'cal_train_time', log)
    assert done.returncode == 0 and 'average iter time: 0.5000 s/iter' in done.stdout


def test_publish_keeps_weights_and_meta(tmp_path, capsys):
    content = dict(
        state_dict=dict(a=torch.arange(3.0)),
        meta=dict(dataset_meta=dict(classes=('disc',))),
        optimizer=dict(big=torch.zeros(9)),
    )
    torch.save(content, tmp_path / 'epoch_1.pth')
    publish = 'model_converters/publish.py'
    assert run_here(publish, tmp_path / 'epoch_1.pth', tmp_path / 'out' / 'm.pth') == 0
    (path,) = (tmp_path / 'out').iterdir()
    assert (
        re.fullmatch(r'm-[0-9a-f]{8}\.pth', path.name)
        and "['optimizer']" in capsys.readouterr().out
    )
    loaded = torch.load(path, weights_only=True)
    assert sorted(loaded) == ['meta', 'state_dict']
    assert loaded['state_dict']['a'].tolist() == [0, 1, 2]
    torch.save([1], tmp_path / 'list.pth')
    assert run_here(publish, tmp_path / 'list.pth', tmp_path / 'm.pth') != 0


def test_flops_grow_with_the_area(capsys):
    def count(*size):
        assert run_here('analysis_tools/get_flops.py', DEMO, '--size', *size) == 0
        said = capsys.readouterr().out
        return float(re.search(r'([\d.]+) G a clip', said)[1])

    assert count(64, 128) == pytest.approx(2 * count(64, 64), rel=0.01)
    assert count(64, 64) == count(60, 40)  # padded to a multiple of 32
