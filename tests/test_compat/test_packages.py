"""Where packages are, without pkg_resources."""

import os.path as osp
import subprocess
import sys
import textwrap
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from mmcico.compat import get_installed_path, is_installed

import mmdet
import pytest
from mmdet.visualization import local_visualizer
from mmengine.config import Config

import mmcico


def test_modules_and_distributions():
    assert get_installed_path('mmcico') == osp.dirname(mmcico.__file__)
    assert get_installed_path('mmdet') == osp.dirname(mmdet.__file__)
    # a distribution whose module has another name
    assert osp.basename(get_installed_path('PyYAML')) == 'yaml'
    assert is_installed('mmdet') and is_installed('PyYAML')


def test_missing_package():
    assert not is_installed('no_such_package')
    with pytest.raises(PackageNotFoundError, match='no_such_package'):
        get_installed_path('no_such_package')


def test_mmdet_configs_as_base(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text("_base_ = 'mmdet::_base_/default_runtime.py'\nextra = 1")
    cfg = Config.fromfile(str(path))
    assert cfg.default_scope == 'mmdet' and cfg.extra == 1


@pytest.mark.parametrize('first', ['mmcico.registry', 'mmengine.hub'])
def test_hub_without_pkg_resources(first):
    """Whichever is imported first, with a setuptools from 82 on."""
    code = textwrap.dedent(f"""
        import sys
        sys.modules['pkg_resources'] = None
        import {first}
        import mmcico.registry
        from mmengine.hub import get_config
        cfg = get_config('mmdet::yolact/yolact_r50_1xb8-55e_coco.py')
        assert cfg.model.type == 'YOLACT'
    """)
    subprocess.run([sys.executable, '-c', code], check=True)


def test_tracks_have_the_colours_of_seaborn_without_it():
    code = textwrap.dedent("""
        import sys
        sys.modules['seaborn'] = None
        import mmcico.registry
        from mmdet.visualization import local_visualizer
        print([local_visualizer.random_color(seed) for seed in (0, 3)])
    """)
    done = subprocess.run([sys.executable, '-c', code], check=True, capture_output=True, text=True)
    if 'seaborn' in Path(local_visualizer.__file__).read_text():  # the forks do without
        # numbers 5 and 8 of ten
        assert done.stdout.strip() == '[(140, 86, 75), (188, 189, 34)]'
