"""Nothing of a killed tool stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ENGINE = Path(__file__).parents[1] / 'test_engine'
sys.path.append(str(ENGINE))

from clip_line import CONFIG, ROOT, write_data  # noqa: E402
from processes import free_port  # noqa: E402

from mmcico.utils.processes import end_children_with_this  # noqa: E402


def test_systems_without_fork_have_nothing_to_prepare(monkeypatch):
    monkeypatch.delattr(os, 'register_at_fork')
    end_children_with_this.__wrapped__()


def members(folder):
    """Processes with a folder in their command line that have not ended."""
    found = set()
    for place in Path('/proc').glob('[0-9]*'):
        try:
            state = (place / 'stat').read_text().rpartition(')')[2].split()[0]
            if state != 'Z' and str(folder) in (place / 'cmdline').read_text():
                found.add(int(place.name))
        except OSError:
            continue
    return found


def start(folder, command):
    """Start a training and wait for its first checkpoint."""
    data = write_data(folder / 'data')
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=f'{ENGINE}:{ROOT}')
    process = subprocess.Popen(
        [*map(str, command), CONFIG, '--work-dir', folder / 'work']
        + (['--launcher', 'pytorch'] if 'torch.distributed.run' in command else [])
        + ['--cfg-options', f'train_dataloader.dataset.data_root={data}']
        + ['train_cfg.max_epochs=100000', 'train_dataloader.num_workers=2']
        + ['train_dataloader.persistent_workers=True', 'default_hooks.checkpoint.max_keep_ckpts=2'],
        env=env,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.time() + 120
    while not list((folder / 'work').glob('*.pth')) and process.poll() is None:
        assert time.time() < deadline
        time.sleep(0.1)
    return process


def wait_for_nobody(folder):
    deadline = time.time() + 3
    while members(folder) and time.time() < deadline:
        time.sleep(0.1)
    left = members(folder)
    for number in left:
        os.kill(number, signal.SIGKILL)
    assert not left


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux tells children of a death')
@pytest.mark.parametrize('end', [signal.SIGTERM, signal.SIGKILL])
def test_a_command_ends_with_the_tool_that_runs_it(tmp_path, end):
    sleep = [sys.executable, '-c', 'import time; time.sleep(100)', str(tmp_path / 'child')]
    log = tmp_path / 'log'
    code = f'from table_runs import *; execute({sleep}, Path({str(log)!r}))'
    env = dict(os.environ, PYTHONPATH=f'{ROOT / "tools" / "benchmarks"}:{ROOT}')
    tool = subprocess.Popen([sys.executable, '-c', code], env=env)
    deadline = time.time() + 60
    while not members(tmp_path / 'child') - {tool.pid}:
        assert time.time() < deadline and tool.poll() is None
        time.sleep(0.1)
    tool.send_signal(end)
    tool.wait()
    wait_for_nobody(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='Linux tells children of a death')
@pytest.mark.parametrize('launched', [False, True])
def test_workers_end_with_a_killed_training(tmp_path, launched):
    command = [sys.executable, ROOT / 'tools' / 'train.py']
    if launched:
        run = ['-m', 'torch.distributed.run', '--nproc_per_node=2', '--master_port', free_port()]
        command[1:1] = run
    process = start(tmp_path, command)
    assert len(members(tmp_path)) == (7 if launched else 3)  # trainings, their workers, torchrun
    process.kill()
    process.wait()
    wait_for_nobody(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='processes are found in /proc')
@pytest.mark.parametrize('tool, number', [('train', 2), ('test', 1)])
def test_sigterm_to_a_script_ends_all_processes(tmp_path, tool, number):
    tools = ENGINE.parent / 'test_tools'
    checkpoint = tmp_path / 'w.pth'
    torch.save(dict(state_dict={'line.weight': torch.ones(1, 1)}), checkpoint)
    command = ['bash', ROOT / 'tools' / f'dist_{tool}.sh', tools / 'tiny_config.py']
    command += [checkpoint] * (tool == 'test') + [number, '--work-dir', tmp_path / 'work']
    command += ['--cfg-options', f'{tool}_dataloader.dataset.length=3000000']
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHON=sys.executable, PORT=str(free_port()))
    env['PYTHONPATH'] = str(tools)
    process = subprocess.Popen(list(map(str, command)), env=env, stdout=subprocess.DEVNULL)
    deadline = time.time() + 200
    while process.poll() is None and 'mmengine - INFO - ' + LOOPS[tool] not in logged(tmp_path):
        assert time.time() < deadline
        time.sleep(0.1)
    assert len(members(tmp_path)) == 1 + number  # torchrun, too
    process.terminate()
    process.wait(20)
    wait_for_nobody(tmp_path)


#: how the line of the log begins that the first steps write
LOOPS = dict(train='Epoch(train)', test='Epoch(test)')


def logged(folder):
    """What the runs below a folder have logged so far."""
    return ''.join(path.read_text() for path in folder.rglob('*.log'))
