"""What is built from a source distribution has all that users need."""

import re
import runpy
from fnmatch import fnmatch
from pathlib import Path

import pytest

from mmcico.apis.model_loading import ANY_OBJECT
from mmcico.version import __version__

ROOT = Path(__file__).parents[1]
RULES = [
    line.split()[1:]
    for line in (ROOT / 'MANIFEST.in').read_text().splitlines()
    if line.startswith('recursive-include')
]


@pytest.mark.parametrize('folder', ['configs', 'tools', 'requirements'])
def test_every_file_is_in_the_manifest(folder):
    (patterns,) = (rule[1:] for rule in RULES if rule[0] == folder)
    names = [
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob('*.*')
        if '__pycache__' not in path.parts
    ]
    assert names
    assert [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def test_the_weights_of_the_package_are_built_and_in_the_manifest(monkeypatch):
    built = {}
    monkeypatch.setattr('setuptools.setup', lambda **kwargs: built.update(kwargs))
    runpy.run_path(str(ROOT / 'setup.py'))
    name = ANY_OBJECT.relative_to(ROOT / 'mmcico').as_posix()
    assert ANY_OBJECT.is_file()
    assert any(fnmatch(name, pattern) for pattern in built['package_data']['mmcico'])
    assert ['mmcico/weights', '*.pth'] in RULES


def test_the_version_is_stated_once_more_only_where_citations_need_it():
    text = (ROOT / 'CITATION.cff').read_text()
    assert f'\nversion: {__version__}\n' in text


def test_wheels_carry_tools_without_what_needs_the_repository(tmp_path, monkeypatch):
    monkeypatch.setattr('setuptools.setup', lambda **kwargs: None)
    place = runpy.run_path(str(ROOT / 'setup.py'))['place']
    place(str(ROOT / 'tools'), str(tmp_path / 'tools'), link=False)
    assert (tmp_path / 'tools' / 'train.py').is_file()
    assert (tmp_path / 'tools' / 'analysis_tools' / 'benchmark.py').is_file()
    assert (tmp_path / 'tools' / 'dist_train.sh').is_file()
    for name in ('benchmarks', 'environment.sh', 'quickstart.sh', 'run_tests.sh'):
        assert not (tmp_path / 'tools' / name).exists()


def test_source_distributions_have_tests_and_documents_whole():
    lines = (ROOT / 'MANIFEST.in').read_text().splitlines()
    assert {'graft docs', 'graft tests'} <= {*lines}


def test_the_lowest_versions_are_the_tested_ones():
    lines = (ROOT / 'requirements' / 'runtime.txt').read_text().splitlines()
    low = dict(re.findall(r'^(\S+?)>=(\S+)$', '\n'.join(lines), re.M))
    opencv = re.search(r"'(opencv-python-headless)>=([\d.]+)'", (ROOT / 'setup.py').read_text())
    low[opencv[1]] = opencv[2]
    tested = dict(
        line.split('==')
        for line in (ROOT / 'requirements' / 'oldest.txt').read_text().splitlines()
        if line[0] != '#'
    )
    low.pop('torch')  # its oldest builds exist with CUDA alone
    assert low.keys() == tested.keys() - {'opencv-python'}
    assert all(tested[name].startswith(number) for name, number in low.items())
