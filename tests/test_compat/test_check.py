"""What the check of the OpenMMLab packages says."""

import subprocess
import sys
import warnings
from importlib.metadata import PackageNotFoundError

from mmcico.compat import check

import pytest

STOCK = {'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmdet': '3.3.0'}
FORKS = {'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6', 'onedl-mmdetection': '3.5.1'}


@pytest.fixture
def run(monkeypatch):
    """Run the check on imagined packages, return its warnings' text."""

    def run(stock, forks, importable=lambda module: False):
        installed = {**stock, **forks}

        def version(name):
            if name not in installed:
                raise PackageNotFoundError(name)
            return installed[name]

        monkeypatch.setattr(check, 'version', version)
        monkeypatch.setattr(check, 'importable', importable)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            check.check_packages.__wrapped__()
        return ' '.join(str(each.message) for each in caught)

    return run


@pytest.mark.parametrize('stock, forks', [(STOCK, {}), ({}, FORKS)])
def test_tested_packages_pass_silently(run, stock, forks):
    assert run(stock, forks) == ''


def test_nothing_installed(run):
    with pytest.raises(ImportError) as info:
        run({}, {})
    for text in (
        'mmengine: not installed',
        'mmcv: not installed',
        'mmdet: not installed',
        'mmdet==3.3.0',
        'setuptools<82',
    ):
        assert text in str(info.value)


def test_too_old_names_found_needed_and_command(run):
    with pytest.raises(ImportError) as info:
        run(dict(STOCK, mmdet='2.28.2'), {})
    text = str(info.value)
    assert 'mmdet: found mmdet 2.28.2, need mmdet>=3.3.0,<3.4' in text
    assert 'to mend it, run:\n  pip install "mmengine==0.10.7"' in text
    assert 'mmcv:' not in text


def test_mmcv_that_mmdet_refuses_is_an_error(run):
    stock = {'mmengine': '0.10.7', 'mmcv': '2.2.0', 'mmdet': '3.3.0'}
    with pytest.raises(ImportError, match='found mmcv 2.2.0, need'):
        run(stock, {})


@pytest.mark.parametrize('number', ['1.7.2', '2.2.0'])
def test_a_wrong_mmcv_beside_mmcv_lite_is_removed_first(run, number):
    """Otherwise pip installs mmcv-lite over it, and the wrong version is still found."""
    with pytest.raises(ImportError) as info:
        run(dict(STOCK, mmcv=number), {})
    assert f'mmcv: found mmcv {number} and mmcv-lite 2.1.0, need' in str(info.value)
    commands = 'run:\n  pip uninstall -y mmcv mmcv-lite\n  pip install "mmengine'
    assert commands in str(info.value)


def test_incomplete_forks_get_the_forks_command(run):
    forks = {key: FORKS[key] for key in ('onedl-mmengine', 'onedl-mmcv')}
    with pytest.raises(ImportError, match='onedl-mmdetection==3.5.1'):
        run({}, forks)


def test_newer_than_tested_warns(run):
    text = run({}, {**FORKS, 'onedl-mmdetection': '4.0.0'})
    assert 'found onedl-mmdetection 4.0.0, tested with' in text


def test_source_tree_without_metadata_warns(run):
    stock = {key: STOCK[key] for key in ('mmengine', 'mmcv-lite')}
    text = run(stock, {}, lambda module: True)
    assert 'mmdet: found without version' in text


@pytest.mark.parametrize('damaged', [None, 'unknown'])
def test_damaged_metadata_warns_like_none(run, damaged):
    text = run(dict(STOCK, mmdet=damaged), {}, lambda module: True)
    assert 'mmdet: found without version' in text


def test_both_stacks_at_once_warns(run):
    assert 'mmcv: both mmcv-lite and onedl-mmcv are installed' in run(STOCK, FORKS)


@pytest.mark.parametrize('module', ['utils.launch', 'models', 'apis.inferencer'])
def test_every_first_import_says_what_is_wrong(module, tmp_path):
    """Packages are checked before the first import of any, by whichever part of mmcico."""
    name = check.STACKS[check.installed_stack()]['mmcv'].packages[0]
    info = tmp_path / f'{name.replace("-", "_")}-1.7.2.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.7.2\n')
    code = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import mmcico.{module}'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert 'ImportError: mmcico cannot use the installed OpenMMLab packages:' in done.stderr
