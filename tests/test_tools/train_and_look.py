"""tools/train.py, and then: which threads of the process group are left?"""

import sys

from processes import gloo_threads
from tool_runs import tool_module

train = tool_module('train.py')
train.run_tool(train.main)
sys.stdout.write(f'gloo threads left: {gloo_threads()}\n')
