"""What importing mmcico and its registries does to other modules."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ('torch', 'mmcv', 'mmdet', 'mmengine', 'cv2', 'numpy')

LOOK = """
import sys
def look():
    names = [k for k in sys.modules if k.startswith(('mmengine', 'mmcv', 'mmdet', 'torch'))]
    modules = {k: sys.modules[k] for k in names}
    functions = {(k, n): id(v) for k, m in modules.items() for n, v in list(vars(m).items())}
    return list(sys.meta_path), list(modules), functions, list(sys.path)
"""


def run(code):
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize('before', ['', 'import mmengine.runner, mmengine.hub, mmengine.config'])
def test_importing_the_package_changes_nothing(before):
    assert run(f'{before}{LOOK}before = look(); import mmcico; print(before == look())') == 'True'


def test_importing_the_package_is_cheap():
    code = (
        'import time, sys; start = time.perf_counter(); import mmcico; '
        f'print(time.perf_counter() - start, [n for n in {HEAVY} if n in sys.modules])'
    )
    for _ in range(3):
        seconds, loaded = run(code).split(' ', 1)
        assert loaded == '[]'
        if float(seconds) < 0.1:
            return
    pytest.fail(f'import mmcico took {seconds} s')


def test_a_part_can_be_imported_first():
    """MMDetection cannot be imported beside mmcv-lite before mmcico.compat."""
    run('import mmcico.apis.outputs')


def test_registries_say_what_is_missing():
    code = (
        'import sys; sys.modules["mmengine"] = None\n'
        'try: import mmcico.registry\n'
        'except ImportError as error: print(str(error))'
    )
    assert 'mmengine' in run(code)


def test_type_checkers_find_the_names_of_the_inferencer_where_they_are():
    apis = importlib.import_module('mmcico.apis')
    typed = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(apis.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    assert typed == apis.HOMES
    assert sorted(apis.__all__) == sorted(apis.HOMES)
