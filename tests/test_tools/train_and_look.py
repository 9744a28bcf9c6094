"""tools/train.py, and then: which threads of the process group are left?"""

import gc
import sys

from processes import gloo_threads, lasting_gloo_threads
from tool_runs import tool_module

from mmcico.utils import tool


class Collector:
    """Collects garbage, and looks for the threads directly afterwards."""

    def collect(self):
        """Collect, as the module gc does."""
        gc.collect()
        sys.stdout.write(f'gloo threads after collection: {len(gloo_threads())}\n')


tool.gc = Collector()
train = tool_module('train.py')
train.run_tool(train.main)
sys.stdout.write(f'gloo threads left: {lasting_gloo_threads()}\n')
