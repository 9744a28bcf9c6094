"""Callbacks on import."""

import importlib
import importlib.util
import multiprocessing
import sys

from mmcico.compat import ImportHook, when_imported

import pytest
from mmdet.datasets import MultiImageMixDataset


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / 'hooked_module.py').write_text('value = 1')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield 'hooked_module'
    sys.modules.pop('hooked_module', None)


def test_called_after_the_import_and_once(module):
    seen = []
    when_imported(module, lambda each: seen.append(each.value))
    assert seen == []
    importlib.import_module(module)
    importlib.import_module(module)
    assert seen == [1]


def test_called_at_once_if_imported_already(module):
    importlib.import_module(module)
    seen = []
    when_imported(module, lambda each: seen.append(each.__name__))
    assert seen == [module]


def test_a_search_or_a_failed_import_loses_nothing(module, tmp_path):
    seen = []
    when_imported(module, lambda each: seen.append(each.value))
    assert importlib.util.find_spec(module) is not None
    (tmp_path / f'{module}.py').write_text('raise KeyboardInterrupt')
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module(module)
    importlib.invalidate_caches()
    (tmp_path / f'{module}.py').write_text('value = 2')
    assert seen == []
    importlib.import_module(module)
    assert seen == [2]
    importlib.reload(sys.modules[module])
    assert seen == [2, 2]


def test_a_second_finder_does_not_search_for_ever(module, monkeypatch):
    """As after a second import of this package from the beginning."""
    monkeypatch.setattr(sys, 'meta_path', [ImportHook(), *sys.meta_path])
    seen = []
    when_imported(module, seen.append)
    for hook in sys.meta_path:
        if isinstance(hook, ImportHook):
            hook.callbacks[module] = seen.append
    importlib.import_module(module)
    assert seen == [sys.modules[module]] * 2


METHODS = [each for each in multiprocessing.get_all_start_methods() if each != 'fork']


@pytest.mark.parametrize('method', METHODS)
def test_processes_that_start_afresh_are_prepared(method):
    """The work of a loader worker names a class of MMDetection first, or nothing of ours."""
    context = multiprocessing.get_context(method)
    process = context.Process(target=repr, args=(MultiImageMixDataset,))
    process.start()
    process.join(100)
    assert process.exitcode == 0


def test_missing_module_stays_missing(tmp_path):
    when_imported('no_such_module_at_all', lambda each: None)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('no_such_module_at_all')


def test_one_finder_only():
    when_imported('some_module', lambda each: None)
    hooks = [each for each in sys.meta_path if isinstance(each, ImportHook)]
    assert len(hooks) == 1
    hooks[0].callbacks.pop('some_module')


def test_name_for_configs_and_register_all():
    from mmdet.registry import DATASETS
    from mmengine.config.utils import MODULE2PACKAGE
    from mmengine.registry import DefaultScope

    from mmcico.utils import register_all_modules

    assert MODULE2PACKAGE['mmcico'] == 'mmcico'
    register_all_modules()
    assert DefaultScope.get_current_instance().scope_name == 'mmdet'
    assert DATASETS.get('CocoDataset') is not None
    for part in ('datasets', 'evaluation', 'models'):
        assert f'mmcico.{part}' in sys.modules


def test_packages_are_checked_when_imported_not_when_searched(monkeypatch):
    def fail():
        raise ImportError('checked')

    monkeypatch.setattr('mmcico.compat.check_packages', fail)
    monkeypatch.delitem(sys.modules, 'mmdet')
    assert importlib.util.find_spec('mmdet') is not None
    with pytest.raises(ImportError, match='checked'):
        importlib.import_module('mmdet')
