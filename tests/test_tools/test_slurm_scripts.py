"""The Slurm scripts with an ``srun`` that writes down how it was called."""

import os
import subprocess

import pytest
from tool_runs import TOOLS

SRUN = '#!/usr/bin/env bash\nprintf "%s\\n" "$@" > "$CALL"\necho "$PYTHONPATH" >> "$CALL"\n'


def call(tmp_path, script, *args, **env):
    """Return the arguments of srun, and PYTHONPATH as the last line."""
    srun = tmp_path / 'srun'
    srun.write_text(SRUN)
    srun.chmod(0o755)
    record = tmp_path / 'call'
    subprocess.run(
        ['bash', str(TOOLS / script), *args],
        check=True,
        env=dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}', CALL=str(record), **env),
    )
    return record.read_text().splitlines()


TRAIN = ('gpu', 'my job', 'configs/a b.py', 'work dirs/x')


def test_train_asks_for_one_task_a_gpu(tmp_path):
    lines = call(tmp_path, 'slurm_train.sh', *TRAIN, '--amp', GPUS='16', CPUS_PER_TASK='3')
    assert lines[:7] == [
        '-p',
        'gpu',
        '--job-name=my job',
        '--ntasks=16',
        '--cpus-per-task=3',
        '--kill-on-bad-exit=1',
        '--gres=gpu:8',
    ]
    assert lines[7] == '--ntasks-per-node=8'
    assert lines[8:10] == ['python', '-u']
    assert lines[10].endswith('/tools/train.py')
    assert lines[11:-1] == ['configs/a b.py', '--work-dir=work dirs/x', '--launcher=slurm', '--amp']
    assert (TOOLS.parent / 'mmcico').samefile(lines[-1].split(':')[0] + '/mmcico')


def test_cpu_jobs_ask_for_no_gpu_and_further_options_of_srun_are_passed_on(tmp_path):
    env = dict(GPUS='2', GPUS_PER_NODE='0', SRUN_ARGS='--time=10 --qos=low', PYTHON='python3')
    lines = call(tmp_path, 'slurm_train.sh', *TRAIN, **env)
    assert not [line for line in lines if 'gres' in line or 'per-node' in line]
    place = lines.index('--time=10')
    assert lines[place : place + 3] == ['--time=10', '--qos=low', 'python3']
    assert '--ntasks=2' in lines


def test_test_passes_config_and_checkpoint(tmp_path):
    args = ('gpu', 'job', 'config.py', 'weights.pth', '--out', 'x.pkl')
    lines = call(tmp_path, 'slurm_test.sh', *args)
    place = next(i for i, line in enumerate(lines) if line.endswith('/tools/test.py'))
    assert lines[place + 1 : -1] == [
        'config.py',
        'weights.pth',
        '--launcher=slurm',
        '--out',
        'x.pkl',
    ]


@pytest.mark.parametrize('script', ['slurm_train.sh', 'slurm_test.sh'])
def test_too_few_arguments_show_the_usage(script):
    done = subprocess.run(
        ['bash', str(TOOLS / script), 'gpu'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 'PARTITION JOB_NAME CONFIG' in done.stderr
