"""What tests of several processes share."""

import os
import socket


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
