"""MMDetection's tools with our configs, and the commands in place of those that fail."""

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.logging import HistoryBuffer
from tool_runs import run_here

from mmcico.cli.main import COMMANDS
from mmcico.datasets.moving_shapes import make_config, write_dataset

ROOT = Path(__file__).parents[2]
THEIRS = Path(mmdet.__file__).parent / '.mim' / 'tools'
DEMO = ROOT / 'configs' / 'demo' / 'cico-yolact_demo_moving-shapes.py'
PAGE = (ROOT / 'docs' / 'en' / 'mmdet_tools.md').read_text()


#: runs scripts one after the other in one process, and prints how each ended
RUN_ALL = """
import json, runpy, sys
ended = {}
for name, path, *args in json.loads(sys.argv[1]):
    sys.argv = [path, *args]
    try:
        runpy.run_path(path, run_name='__main__')
        ended[name] = ''
    except BaseException as error:
        ended[name] = f'{type(error).__name__}: {error}'
print('ENDED' + json.dumps(ended))
"""


def test_page_names_tools_and_commands_that_exist():
    tools = re.findall(r'^\| `(\w+/\w+\.py)`', PAGE, re.M)
    assert len(tools) == 8 and all((THEIRS / each).is_file() for each in tools)
    commands = set(re.findall(r'`mmcico (\w+)', PAGE))
    assert {'publish', 'flops', 'browse', 'benchmark', 'analyze', 'stats'} == commands
    assert commands <= set(COMMANDS)


def test_their_tools_do_what_the_page_says(tmp_path):
    write_dataset(tmp_path / 'train', 1, 0, make_config('easy', num_frames=3, size=(64, 96)))
    shapes = [f'train_dataloader.dataset.data_root={tmp_path}/']
    log, weights, results = (tmp_path / name for name in ('scalars.json', 'a.pth', 'a.pkl'))
    lines = [dict(loss=3.0 / step, time=0.5, iter=step, step=step) for step in (1, 2)]
    log.write_text(''.join(json.dumps(each) + '\n' for each in lines))
    torch.save(dict(state_dict={}, meta=dict(cfg='', history=HistoryBuffer())), weights)
    results.write_bytes(pickle.dumps([dict(frames=[])]))
    calls = {
        'misc/print_config.py': [DEMO],
        'analysis_tools/analyze_logs.py': ['cal_train_time', log],
        'model_converters/publish_model.py': [weights, tmp_path / 'b.pth'],
        'analysis_tools/get_flops.py': [DEMO, '--cfg-options', *shapes],
        'analysis_tools/browse_dataset.py': [DEMO, '--not-show', '--cfg-options', *shapes],
        'analysis_tools/benchmark.py': [DEMO, '--checkpoint', weights, '--task', 'inference'],
        'analysis_tools/confusion_matrix.py': [DEMO, results, tmp_path],
        'analysis_tools/optimize_anchors.py': [DEMO, '--output-dir', tmp_path],
    }
    call = json.dumps([(name, str(THEIRS / name), *map(str, each)) for name, each in calls.items()])
    command = [sys.executable, '-c', RUN_ALL, call]
    (tmp_path / 'seaborn.py').write_text('')  # one tool imports it, and uses it for plots
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    said, _, ended = done.stdout.partition('ENDED')
    assert "type='mmcico.CiCo'" in said and 'average iter time: 0.5000 s/iter' in said
    for name, error in json.loads(ended).items():
        row = next(line for line in PAGE.splitlines() if f'`{name}`' in line)
        assert ('works unchanged' in row) == (error == ''), (name, error)
        assert ('`mmcico ' in row) == (error != '')


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


def test_publish_in_half_precision(tmp_path, capsys):
    file = tmp_path / 'a.pth'
    weights = dict(a=torch.full((3,), 1.001), steps=torch.tensor(70000))
    torch.save(dict(state_dict=weights), file)
    publish = 'model_converters/publish.py'
    assert run_here(publish, file, tmp_path / 'out' / 'm.pth', '--half') == 0
    (path,) = (tmp_path / 'out').iterdir()
    half = torch.load(path, weights_only=True)['state_dict']
    assert half['a'].dtype == torch.float16 and half['a'][0] == 1 + 2**-10
    assert half['steps'] == 70000
    torch.save(dict(state_dict=dict(big=torch.tensor([1e5]))), file)
    assert run_here(publish, file, tmp_path / 'm.pth', '--half') == 1
    assert 'big has values beyond 65504' in capsys.readouterr().err


def test_flops_grow_with_the_area(capsys):
    def count(*size):
        assert run_here('analysis_tools/get_flops.py', DEMO, '--size', *size) == 0
        said = capsys.readouterr().out
        return float(re.search(r'([\d.]+) G a clip', said)[1])

    assert count(64, 128) == pytest.approx(2 * count(64, 64), rel=0.01)
    assert count(64, 64) == count(60, 40)  # padded to a multiple of 32
