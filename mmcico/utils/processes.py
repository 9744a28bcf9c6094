"""Processes that end with the one that started them, or with the other hosts of their job."""

import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

PR_SET_PDEATHSIG = 1
PAUSE = 2.0
#: seconds that torchrun has to end by itself
GRACE = 12
#: ends the process of a file descriptor if it does not end
END_LATER = """
import select, signal, sys
fd = int(sys.argv[1])
if not select.select([fd], [], [], float(sys.argv[2]))[0]:
    signal.pidfd_send_signal(fd, signal.SIGKILL)
"""


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent has ended, whatever ended it.

    If a parent that is given by its id has ended already, this process ends at once. Linux only;
    elsewhere nothing is done.
    """
    if sys.platform != 'linux':
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def run_bound(command: Sequence[str], **options: Any) -> int:
    """Run a command that ends with this process, whatever ends it; return its exit code.

    Called in the main thread, as Linux takes the end of a thread for that of the parent. Elsewhere
    the command goes on.

    Args:
        command (Sequence[str]): Program and arguments.
        **options: As of ``subprocess.run``.

    Raises:
        CalledProcessError: With ``check=True``, if the exit code is not 0.
    """
    bind = functools.partial(end_with_parent, os.getpid()) if sys.platform == 'linux' else None
    return subprocess.run(list(command), preexec_fn=bind, **options).returncode


@functools.cache
def end_children_with_this() -> None:
    """Let the processes that the main thread forks from now on, loader workers, end with it.

    A worker that waits until somebody reads its queue would otherwise outlive a killed process.
    Other threads are left out, as Linux takes the end of a thread for that of the parent.
    """
    parent: list[int] = []

    def note() -> None:
        is_main = threading.current_thread() is threading.main_thread()
        parent[:] = [os.getpid()] if is_main else []

    def follow() -> None:
        if parent:
            end_with_parent(parent[0])

    if hasattr(os, 'register_at_fork'):  # Windows has no fork
        os.register_at_fork(before=note, after_in_child=follow)


class HostWatch:
    """Tells the other hosts of a job that this one lives, and ends this process if one does not.

    A host that loses power or its network closes no connection; the processes of the others would
    wait for its part of a sum for half an hour. The first process of each host counts in the store
    of torchrun and looks whether the others count on. A host that has finished says so.

    Args:
        env (Mapping): Environment of a process that torchrun has started.
        limit (float): Seconds without a sign of life.
    """

    def __init__(self, env: Mapping[str, str], limit: float) -> None:
        self._address = env['MASTER_ADDR'], int(env['MASTER_PORT'])
        self._host = int(env['GROUP_RANK'])
        self._others = [n for n in range(int(env['GROUP_WORLD_SIZE'])) if n != self._host]
        self._limit = limit
        restarts = int(env.get('TORCHELASTIC_MAX_RESTARTS', 0))
        self._is_last = int(env.get('TORCHELASTIC_RESTART_COUNT', 0)) >= restarts
        #: seconds for which the store, or another host, has been silent; from the first sign on
        self._silent: dict[str, float] = {}
        self._is_done = threading.Event()

    def start(self) -> None:
        """Count and look, each in a thread of its own, as a dead store blocks its caller."""
        for target in (self._count, self._look):
            threading.Thread(target=target, daemon=True).start()

    def stop(self) -> None:
        """Say that this host has finished."""
        self._is_done.set()
        time.sleep(PAUSE / 2)

    def _count(self) -> None:
        from torch.distributed import TCPStore

        wait = timedelta(seconds=self._limit)
        store = TCPStore(*self._address, is_master=False, timeout=wait)
        last: dict[int, bytes] = {}
        number = 0
        while True:
            done = self._is_done.is_set()
            number += 1
            store.set(f'mmcico/host/{self._host}', 'done' if done else str(number))
            if done:
                return
            self._silent['the first host'] = 0
            for other in self._others:
                key = f'mmcico/host/{other}'
                value = store.get(key) if store.check([key]) else b''
                if value == b'done':
                    self._silent.pop(f'host {other}', None)
                elif value != last.get(other, b''):
                    self._silent[f'host {other}'] = 0
                last[other] = value
            self._is_done.wait(PAUSE / 2)

    def _look(self) -> None:
        while not self._is_done.is_set():
            time.sleep(1)
            for name in list(self._silent):
                self._silent[name] += 1
                if self._silent[name] > self._limit:
                    sys.stderr.write(
                        f'error: {name} has not been heard of for {self._limit:.0f} s; its machine '
                        'or the network has failed, and this host ends; --resume continues\n'
                    )
                    sys.stderr.flush()
                    if self._is_last:
                        end_parent_later(GRACE)
                    os._exit(1)


def end_parent_later(grace: float) -> None:
    """Kill torchrun if it has not ended some time after this process has.

    After a failure torchrun asks the store of the rendezvous for news. If the host of the store
    is gone, PyTorch's client stops waiting after its timeout, tells the store so, and waits for
    the answer without any (``TCPStore::doWait``). ``grace`` are the seconds that torchrun has.
    Linux only; elsewhere nothing is done.
    """
    if sys.platform != 'linux':
        return
    parent = os.pidfd_open(os.getppid())
    subprocess.Popen(
        [sys.executable, '-ISc', END_LATER, str(parent), str(grace)],
        pass_fds=[parent],
        start_new_session=True,
    )


def watch_hosts(env: Mapping[str, str]) -> HostWatch | None:
    """Watch the other hosts of a job that torchrun has started, if there are any.

    MMCICO_HOST_TIMEOUT in the environment are the seconds after which a silent host counts as lost,
    40 by default, 0 for never.
    """
    limit = float(env.get('MMCICO_HOST_TIMEOUT', 40))
    if limit <= 0 or env.get('LOCAL_RANK') != '0' or int(env.get('GROUP_WORLD_SIZE', 1)) < 2:
        return None
    watch = HostWatch(env, limit)
    watch.start()
    return watch
