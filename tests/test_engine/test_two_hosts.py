"""Two hosts over TCP, which are network namespaces of this machine; needs root."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from clip_line import CONFIG, HERE, ROOT, write_data

from mmcico.utils.processes import HostWatch

ADDRESS = '10.77.93.{}'


def ip(*words):
    return subprocess.run(['ip', *words], capture_output=True, text=True).returncode == 0


@pytest.fixture
def hosts():
    """Names of two namespaces that are joined by a cable."""
    names = [f'mm{os.getpid()}{end}' for end in 'ab']
    if sys.platform != 'linux' or not shutil.which('ip') or os.geteuid() != 0:
        pytest.skip('network namespaces need Linux, "ip" and root')
    try:
        if not all(ip('netns', 'add', name) for name in names):
            pytest.skip('this machine allows no network namespaces')
        cable = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', names[1]]
        assert ip('link', 'add', 'eth0', 'netns', names[0], *cable)
        for number, name in enumerate(names):
            inside = ('netns', 'exec', name, 'ip')
            assert ip(*inside, 'addr', 'add', ADDRESS.format(number + 1) + '/24', 'dev', 'eth0')
            assert ip(*inside, 'link', 'set', 'eth0', 'up') and ip(
                *inside, 'link', 'set', 'lo', 'up'
            )
        yield names
    finally:
        for name in names:
            ip('netns', 'del', name)


def start(names, folder, rendezvous, epochs):
    """Start a training of one process on each host."""
    data = write_data(folder / 'data')
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=f'{HERE}:{ROOT}')
    env.update(GLOO_SOCKET_IFNAME='eth0', MMCICO_HOST_TIMEOUT='8')
    first = ADDRESS.format(1)
    jobs = []
    for number, name in enumerate(names):
        if rendezvous == 'static':
            meet = ['--node_rank', str(number), '--master_addr', first, '--master_port', '29511']
        else:
            meet = ['--rdzv_backend', 'c10d', '--rdzv_endpoint', f'{first}:29511', '--rdzv_id']
            meet += ['job', '--local_addr', ADDRESS.format(number + 1)]
            # no name of this machine leads to the address inside the namespace
            meet += ['--rdzv_conf', f'is_host={1 - number}']
        command = [sys.executable, '-m', 'torch.distributed.run', '--nnodes', '2', *meet]
        command += ['--nproc_per_node', '1', ROOT / 'tools' / 'train.py', CONFIG]
        command += ['--launcher', 'pytorch', '--work-dir', folder / f'host{number}']
        command += ['--cfg-options', f'train_cfg.max_epochs={epochs}']
        command += [f'train_dataloader.dataset.data_root={data}']
        inside = ['ip', 'netns', 'exec', name, *command]
        with open(folder / f'host{number}.txt', 'w') as output:
            jobs.append(subprocess.Popen(inside, env=env, stdout=output, stderr=output))
    return jobs


def end(jobs):
    for job in jobs:
        if job.poll() is None:
            job.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_static_rendezvous(hosts, tmp_path):
    jobs = start(hosts, tmp_path, 'static', 1)
    try:
        codes = [job.wait(200) for job in jobs]
    finally:
        end(jobs)
    assert codes == [0, 0], (tmp_path / 'host0.txt').read_text()[-3000:]
    assert (tmp_path / 'host0' / 'epoch_1.pth').exists()


@pytest.mark.slow
@pytest.mark.skipif(
    'MMCICO_LOST_HOST' not in os.environ,
    reason='cuts the network of a host and waits for a minute: set MMCICO_LOST_HOST=1',
)
@pytest.mark.parametrize('rendezvous', ['c10d', 'static'])
def test_a_lost_host_ends_the_other(hosts, tmp_path, rendezvous):
    """Each host loses the other: one keeps the store of torchrun, the other does not reach it."""
    jobs = start(hosts, tmp_path, rendezvous, 100000)
    try:
        deadline = time.time() + 200
        while not list(tmp_path.glob('host*/epoch_1.pth')):
            assert time.time() < deadline and jobs[0].poll() is None
            time.sleep(0.2)
        assert ip('netns', 'exec', hosts[1], 'ip', 'link', 'set', 'eth0', 'down')
        cut = time.time()
        codes = [job.wait(60 - (time.time() - cut)) for job in jobs]
    finally:
        end(jobs)
    said = [(tmp_path / f'host{number}.txt').read_text() for number in (0, 1)]
    assert all(codes)
    assert all(re.search('host [01] has not been heard of for 8 s', text) for text in said), said


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', sys.argv[1]])
child.wait()
time.sleep(float(sys.argv[2]))
"""
CHILD = 'from mmcico.utils.processes import end_parent_later; end_parent_later(1.5)'


@pytest.mark.skipif(sys.platform != 'linux', reason='file descriptors of processes')
@pytest.mark.parametrize('seconds, code', [('60', -signal.SIGKILL), ('0.1', 0)])
def test_a_parent_that_does_not_end_is_killed(seconds, code):
    env = dict(os.environ, PYTHONPATH=str(ROOT))
    began = time.time()
    done = subprocess.run([sys.executable, '-c', PARENT, CHILD, seconds], env=env, timeout=30)
    assert done.returncode == code and time.time() - began < 20


def test_torchrun_with_restarts_left_goes_on():
    env = dict(MASTER_ADDR='a', MASTER_PORT='1', GROUP_RANK='0', GROUP_WORLD_SIZE='2')
    restarts = dict(TORCHELASTIC_MAX_RESTARTS='2', TORCHELASTIC_RESTART_COUNT='1')
    assert HostWatch(env, 1)._is_last
    assert not HostWatch({**env, **restarts}, 1)._is_last
    assert HostWatch({**env, **restarts, 'TORCHELASTIC_RESTART_COUNT': '2'}, 1)._is_last
