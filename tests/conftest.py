"""Makes ``mmcv.ops`` importable in tests before anything imports it."""

import gc

import mmcico.compat  # noqa: F401


def pytest_collection_finish():
    """Spare the garbage collector what the imports have made.

    Every data set of MMEngine collects garbage when it is made, and that
    takes a second with all the modules of a whole suite.
    """
    gc.collect()
    gc.freeze()
