"""What tests of several processes share."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as each:
        each.bind(('127.0.0.1', 0))
        return each.getsockname()[1]


def gloo_threads():
    """Names of this process's gloo threads; Linux only, else nothing."""
    folder = '/proc/self/task'
    names = []
    for thread in os.listdir(folder) if os.path.isdir(folder) else ():
        with open(f'{folder}/{thread}/comm') as file:
            names.append(file.read().strip())
    return [name for name in names if 'gloo' in name]


def lasting_gloo_threads():
    """Names of the gloo threads that do not end within a second.

    Linux lists a thread for a moment after another one has waited for its end.
    """
    end = time.monotonic() + 1
    while gloo_threads() and time.monotonic() < end:
        time.sleep(0.01)
    return gloo_threads()


def forked(number, work, timeout=200):
    """Run a function in several processes, told who they are as by torchrun; what has ended.

    This process forks them, so that they need not import PyTorch and MMDetection again, which takes
    longer than a small training. If one fails, the others are ended.
    """
    group = dict(WORLD_SIZE=number, MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port())
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder) / name for name in ('stdout', 'stderr')]
        for name in names:
            name.touch()
        running = [
            _fork(work, dict(group, RANK=rank, LOCAL_RANK=rank), names) for rank in range(number)
        ]
        try:
            code = _wait(running, time.monotonic() + timeout)
        finally:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return subprocess.CompletedProcess((), code, *(name.read_text() for name in names))


def _wait(running, end):
    """Wait for processes, or for the first that fails; its exit code."""
    while running:
        for pid in list(running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                running.remove(pid)
                code = os.waitstatus_to_exitcode(status)
                if code:
                    # torchrun leaves the others some time, too, to say why they fail
                    _wait(running, min(end, time.monotonic() + 30))
                    return code
        if time.monotonic() > end:
            return f'{len(running)} processes did not end in time'
        time.sleep(0.02)
    return 0


def _fork(work, variables, names):
    """Start a process; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number, name in enumerate(names, 1):
            os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), number)
        sys.stdout, sys.stderr = (os.fdopen(number, 'w', buffering=1) for number in (1, 2))
        os.environ.update({name: str(value) for name, value in variables.items()})
        sys.modules['torch'].set_num_threads(1)  # threads of OpenMP do not survive a fork
        code = work() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code if isinstance(code, int) else 1)
