"""tools/train.py, and then: which threads of the process group are left?"""
import importlib.util
import os.path as osp
import sys

from processes import gloo_threads

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
spec = importlib.util.spec_from_file_location('train',
                                              f'{ROOT}/tools/train.py')
train = importlib.util.module_from_spec(spec)
spec.loader.exec_module(train)
train.run_tool(train.main)
sys.stdout.write(f'gloo threads left: {gloo_threads()}\n')
