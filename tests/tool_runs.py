"""How tests run the tools: in this process, or in a bare one."""

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mmcico.cli.main import load_tool
from mmcico.utils.tool import run_tool

TOOLS = Path(__file__).parents[1] / 'tools'
HIDDEN = ('mmengine', 'mmcv', 'mmdet', 'torch')
NUMBERS = itertools.count()


def tool_module(name):
    """``tools/<name>`` as a module."""
    return load_tool(TOOLS / name)


def run_here(name, *args):
    """Run ``tools/<name>`` in this process; 0 or what it exits with."""
    tool = tool_module(name)
    forget_visualizers()
    try:
        return run_tool(tool.main, [str(each) for each in args])
    except SystemExit as end:
        return end.code


def forget_visualizers():
    """Forget MMEngine's visualizers, which later runners of a process share by name."""
    module = sys.modules.get('mmengine.visualization')
    classes = [module.Visualizer] if module else []
    while classes:
        each = classes.pop()
        each._instance_dict.clear()
        classes += each.__subclasses__()


def options(*extra):
    """``--cfg-options``; all runners of a process need distinct names."""
    return ('--cfg-options', f'experiment_name=run_{next(NUMBERS)}', *extra)


def run_without(folder, name, *args, hidden=HIDDEN, env=()):
    """Run ``tools/<name>`` where packages are hidden; the ended process."""
    with tempfile.TemporaryDirectory() as stubs:
        for each in hidden:
            stub = Path(stubs) / f'{each}.py'
            stub.write_text(f'raise ImportError("{each} was imported")\n')
        return subprocess.run(
            [sys.executable, str(TOOLS / name), *map(str, args)],
            cwd=folder,
            env={**os.environ, 'PYTHONPATH': stubs, 'OMP_NUM_THREADS': '1', **dict(env)},
            capture_output=True,
            text=True,
        )


def run_unread(folder, name, *args):
    """Run a tool whose output nobody reads; its exit code and complaints."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, str(TOOLS / name), *args],
            cwd=folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr
