"""Prepares imports: ``mmcv.ops`` beside mmcv-lite, and modules of ``tools/benchmarks``."""

import gc
import os
import sys
from pathlib import Path

# One thread for each process of the tests: more are slower for small networks, and a forked process
# has one, whose sums differ in the last digit. PyTorch reads this when it is imported.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import mmcico.compat  # noqa: F401

sys.path.append(str(Path(__file__).parents[1] / 'tools' / 'benchmarks'))


def pytest_collection_modifyitems(items):
    """Begin with the files that have slow tests, so that no process waits for one at the end."""
    slow = {item.path for item in items if item.get_closest_marker('slow')}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish():
    """Spare the garbage collector what the imports have made.

    Every data set of MMEngine collects garbage when it is made, and that
    takes a second with all the modules of a whole suite.
    """
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown():
    """Forget MMEngine's loggers, whose messages go to the output of the test that made them."""
    module = sys.modules.get('mmengine.logging')
    if module is not None:
        module.MMLogger._instance_dict.clear()
