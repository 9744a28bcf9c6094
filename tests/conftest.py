"""Prepares imports: ``mmcv.ops`` beside mmcv-lite, and modules of ``tools/benchmarks``."""

import gc
import sys
from pathlib import Path

import mmcico.compat  # noqa: F401

sys.path.append(str(Path(__file__).parents[1] / 'tools' / 'benchmarks'))


def pytest_collection_finish():
    """Spare the garbage collector what the imports have made.

    Every data set of MMEngine collects garbage when it is made, and that
    takes a second with all the modules of a whole suite.
    """
    gc.collect()
    gc.freeze()
