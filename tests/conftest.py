"""Prepares imports: ``mmcv.ops`` beside mmcv-lite, and modules of ``tools/benchmarks``."""

import gc
import sys
from pathlib import Path

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
