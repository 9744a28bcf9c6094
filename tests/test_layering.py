"""Arrows between folders, circles of imports, and rules that no linter knows."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'mmcico'

TABLE = PACKAGE.parent / 'docs' / 'en' / 'architecture.md'
#: packages that a folder may import if the table says so
LARGE = {'torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'cv2', 'scipy'}


def read_table():
    """Folder, such as ``models/heads`` -> folders and packages that it may import."""
    allowed = {}
    for line in TABLE.read_text().splitlines():
        if line.startswith('| `mmcico/'):
            folders, _, own, packages = line.split('|')[1:-1]
            for folder in re.findall('`mmcico/(.+?)(?:\\.py)?`', folders):
                allowed[folder] = {*re.findall('`(.+?)`', own), *re.findall('`(.+?)`', packages)}
    return allowed


ALLOWED = read_table()


def is_below(path, folders):
    return any((path + '/').startswith(folder + '/') for folder in folders)


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
            yield from (f'{base}.{alias.name}' for alias in node.names)


def files(folder):
    return sorted((PACKAGE / folder).rglob('*.py'))


def is_allowed(folder, name):
    top, *rest = name.split('.')
    if top != 'mmcico':
        return top not in LARGE or top in ALLOWED[folder]
    path = '/'.join(rest)
    return path.partition('/')[0] in ('', 'version', '__version__') or is_below(
        path, {folder, *ALLOWED[folder]}
    )


def home(path):
    """The row of a file: that of the deepest folder."""
    own = str(path.relative_to(PACKAGE).with_suffix(''))
    return max((folder for folder in ALLOWED if is_below(own, [folder])), key=len, default=None)


@pytest.mark.parametrize('folder', ALLOWED)
def test_arrows(folder):
    own = [path for path in files('.') if home(path) == folder]
    assert own, f'{folder} in {TABLE.name} is empty'
    wrong = {
        f'{path.relative_to(PACKAGE)}: {name}'
        for path in own
        for name in imports(path)
        if not is_allowed(folder, name)
    }
    assert not wrong


def test_every_file_is_in_the_table():
    rest = {str(path.relative_to(PACKAGE)) for path in files('.') if home(path) is None}
    assert rest == {'__init__.py', '__main__.py', 'version.py'}


def test_the_table_forbids():
    assert not is_allowed('models/losses', 'mmcico.models.heads.cico_head')
    assert not is_allowed('models/heads', 'mmcico.models.trackers')
    assert not is_allowed('formats', 'mmcico.utils.tool')
    assert not is_allowed('formats', 'torch.nn')
    assert not is_allowed('analysis', 'mmengine')
    assert is_allowed('formats', 'mmcico.utils.files')


def statements(body):
    """Statements that run when a module is imported, also under conditions."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for name in ('body', 'orelse', 'handlers', 'finalbody'):
                yield from statements(getattr(node, name, []))


def arrows(sources):
    """Module -> modules that it imports, of a package's sources by (module, is_package)."""
    found = {}
    names = {name for name, _ in sources}
    for (module, is_package), source in sources.items():
        package = module.split('.') if is_package else module.split('.')[:-1]
        targets = set()
        for node in statements(ast.parse(source).body):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package[: len(package) - node.level + 1] if node.level else []
                base = '.'.join([*above, *filter(None, [node.module])])
                inner = {f'{base}.{alias.name}' for alias in node.names}
                targets |= (inner & names) or {base}
        found[module] = (targets & names) - {module}
    return found


def circle(found):
    """A circle of imports, None if there is none."""
    try:
        graphlib.TopologicalSorter(found).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def test_no_circles():
    sources = {(module_name(p), p.name == '__init__.py'): p.read_text() for p in files('.')}
    found = arrows(sources)
    assert 'mmcico.formats.rle' in found['mmcico.formats.masks']
    assert circle(found) is None


def test_circles_are_found():
    typed = 'if TYPE_CHECKING:\n    from p.a import A\n'
    sources = {('p', True): '', ('p.a', False): 'from . import b', ('p.b', False): typed}
    assert set(circle(arrows(sources))) == {'p.a', 'p.b'}
    late = 'def f():\n    from p.a import A\n'
    assert circle(arrows({**sources, ('p.b', False): late})) is None


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
