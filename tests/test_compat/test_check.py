"""What the check of the OpenMMLab packages says."""

import warnings

from mmcico.compat import check

import pytest

STOCK = {
    'mmengine': ('mmengine', '0.10.7'),
    'mmcv': ('mmcv-lite', '2.1.0'),
    'mmdet': ('mmdet', '3.3.0'),
}
FORKS = {
    'mmengine': ('onedl-mmengine', '0.10.12'),
    'mmcv': ('onedl-mmcv', '2.3.6'),
    'mmdet': ('onedl-mmdetection', '3.5.1'),
}


@pytest.fixture
def run(monkeypatch):
    """Run the check on imagined packages, return its warnings' text."""

    def run(openmmlab, onedl, importable=lambda module: False):
        monkeypatch.setattr(check, 'find_packages', lambda: dict(openmmlab=openmmlab, onedl=onedl))
        monkeypatch.setattr(check, 'importable', importable)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            check.check_packages()
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
        run(dict(STOCK, mmdet=('mmdet', '2.28.2')), {})
    text = str(info.value)
    assert 'mmdet: found mmdet 2.28.2, need mmdet>=3.3.0,<3.4' in text
    assert 'pip install "mmengine==0.10.7"' in text
    assert 'mmcv:' not in text


def test_mmcv_that_mmdet_refuses_is_an_error(run):
    with pytest.raises(ImportError, match='found mmcv 2.2.0, need'):
        run(dict(STOCK, mmcv=('mmcv', '2.2.0')), {})


def test_incomplete_forks_get_the_forks_command(run):
    forks = {key: FORKS[key] for key in ('mmengine', 'mmcv')}
    with pytest.raises(ImportError, match='onedl-mmdetection==3.5.1'):
        run({}, forks)


def test_newer_than_tested_warns(run):
    text = run({}, dict(FORKS, mmdet=('onedl-mmdetection', '4.0.0')))
    assert 'found onedl-mmdetection 4.0.0, tested with' in text


def test_source_tree_without_metadata_warns(run):
    stock = {key: STOCK[key] for key in ('mmengine', 'mmcv')}
    text = run(stock, {}, lambda module: True)
    assert 'mmdet: found without version' in text


def test_both_stacks_at_once_warns(run):
    assert 'overwrite each other' in run(STOCK, FORKS)
