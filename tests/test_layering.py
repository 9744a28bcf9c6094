"""Arrows between folders, and rules that no linter knows."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'mmcico'

#: folder -> what it must not import
FORBIDDEN = {
    'formats': ['mmdet', 'mmcv', 'mmengine', 'torch', 'cv2', 'scipy', 'mmcico'],
    'structures': ['mmdet', 'mmcv', 'mmcico'],
    'models/layers': ['mmcico.models.heads', 'mmcico.models.vis'],
    'models/losses': ['mmcico.models.heads', 'mmcico.models.vis', 'mmcico.models.trackers'],
    'models/task_modules': ['mmcico.models.heads', 'mmcico.models.vis'],
    'models/heads': ['mmcico.models.trackers', 'mmcico.models.vis'],
    'models/trackers': ['mmcico.models.heads', 'mmcico.models.vis'],
    'models': ['mmcico.datasets', 'mmcico.evaluation'],
    'datasets': ['mmcico.models', 'mmcico.evaluation'],
    'evaluation': ['mmcico.models'],
    'analysis': ['mmdet', 'mmcv', 'mmengine', 'torch', 'mmcico.models', 'mmcico.registry'],
    'visualization': ['mmcico.models', 'mmcico.apis', 'mmcico.cli'],
    'checkpoints': ['mmcico.models', 'mmcico.datasets', 'mmcico.evaluation'],
    'deployment': ['mmcico.apis', 'mmcico.datasets', 'mmcico.evaluation'],
    'apis': ['mmcico.cli'],
    'cli': ['mmdet', 'mmcv', 'torch', 'mmcico.models'],
    'compat': ['mmcico.models', 'mmcico.datasets', 'mmcico.structures'],
}


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imports(path):
    """Full names of all modules that a file imports, also inside functions."""
    package = module_name(path).split('.')
    if path.name != '__init__.py':
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                above = package[: len(package) - node.level + 1]
                base = '.'.join(above + ([base] if base else []))
            yield base


def files(folder):
    return sorted((PACKAGE / folder).rglob('*.py'))


@pytest.mark.parametrize('folder', FORBIDDEN)
def test_arrows(folder):
    own = 'mmcico.' + folder.replace('/', '.')
    pure = (
        ('mmcico.utils.natural_order.', 'mmcico.utils.whole_file.') if folder == 'formats' else ()
    )
    wrong = [
        f'{path.relative_to(PACKAGE)}: {name}'
        for path in files(folder)
        for name in imports(path)
        for bad in FORBIDDEN[folder]
        if (name + '.').startswith(bad + '.') and not (name + '.').startswith((own + '.', *pure))
    ]
    assert not wrong


def test_packages_are_prepared_before_they_are_imported():
    """Who imports MMDetection or MMCV imports mmcico.compat before, or its package does."""
    wrong = []
    for path in files('.'):
        names = list(imports(path))
        if not any(name.split('.')[0] in ('mmdet', 'mmcv') for name in names):
            continue
        above = [parent / '__init__.py' for parent in path.parents if PACKAGE in parent.parents]
        if not any('mmcico.compat' in imports(each) for each in (path, *above)):
            wrong.append(str(path.relative_to(PACKAGE)))
    assert wrong == []


def test_relative_imports_are_resolved():
    path = PACKAGE / 'models' / 'heads' / 'cico_head.py'
    found = set(imports(path))
    assert 'mmcico.models.heads.head_layers' in found
    assert 'mmcico.models.losses.head_losses' in found


def body_lines(node):
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize('path', files('.'), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_style(path):
    source = path.read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= 300
    functions = [
        node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert [f.name for f in functions if body_lines(f) > 60] == []
    untyped = [
        f.name
        for f in functions
        if f.returns is None
        or any(a.annotation is None for a in f.args.args if a.arg not in ('self', 'cls'))
    ]
    assert untyped == []
    public = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith('_')
        and node.name != 'transform'
    ]
    inner = {n for f in functions for n in ast.walk(f) if n is not f}
    bare = [node.name for node in public if node not in inner and ast.get_docstring(node) is None]
    assert bare == []
    calls = [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert 'print' not in calls
    assert '.cuda(' not in source
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree))
    handlers = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
    assert all(handler.type is not None for handler in handlers)
    asserts = [n for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    assert all(node.msg is not None for node in asserts)
