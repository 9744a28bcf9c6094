"""Installation; requirements are in ``requirements/``."""

import os
import os.path as osp
import re
import shutil
import sysconfig
from importlib.metadata import distributions

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = osp.dirname(osp.abspath(__file__))
# what OpenMMLab's mim looks for in mmcico/.mim
MIM_PARTS = ('configs', 'tools', 'model-index.yml')
# experiments, and scripts that need the repository, stay out of wheels
LEFT_OUT = ('__pycache__', '*.pyc', 'benchmarks', 'environment.sh', 'quickstart.sh', 'run_tests.sh')
# address of the repository; whoever hosts a copy puts their own here
HOMEPAGE = 'https://github.com/mmcico/mmcico'
OPENCV = (
    'opencv-python',
    'opencv-python-headless',
    'opencv-contrib-python',
    'opencv-contrib-python-headless',
)


def read(*path: str) -> str:
    """Text of a file of this repository."""
    with open(osp.join(HERE, *path), encoding='utf-8') as file:
        return file.read()


def get_version() -> str:
    """The version, without importing the package."""
    return re.search(r"__version__ = '(.+)'", read('mmcico', 'version.py')).group(1)


def parse_requirements(name: str) -> list[str]:
    """Requirements of one file, without comments."""
    lines = read('requirements', f'{name}.txt').splitlines()
    return [line.strip() for line in lines if line.split('#')[0].strip()]


def opencv_requirement() -> list[str]:
    """The headless OpenCV, unless the environment has one already.

    All OpenCV packages write the same folder, so that a second one damages
    the first.  A build in isolation does not see the environment on its own
    path, therefore the path is given.
    """
    paths = [sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]
    names = {
        (each.metadata['Name'] or '').lower().replace('_', '-')
        for each in distributions(path=paths)
    }
    return [] if names & set(OPENCV) else ['opencv-python-headless>=4.8']


class BuildWithMim(build_py):
    """Ships configs and tools: copies in a wheel, links when editable."""

    def run(self) -> None:
        """Build, then add ``mmcico/.mim``."""
        super().run()
        editable = getattr(self, 'editable_mode', False)
        base = HERE if editable else osp.abspath(self.build_lib)
        target = osp.join(base, 'mmcico', '.mim')
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        for part in MIM_PARTS:
            place(osp.join(HERE, part), osp.join(target, part), editable)


def place(source: str, target: str, link: bool) -> None:
    """Link or copy a file or a folder."""
    if link:
        try:
            os.symlink(osp.relpath(source, osp.dirname(target)), target)
            return
        except OSError:  # Windows without the right to link
            pass
    if osp.isdir(source):
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    else:
        shutil.copyfile(source, target)


setup(
    name='mmcico',
    version=get_version(),
    description='Clip-in clip-out video instance segmentation for MMDetection',
    long_description=read('README.md') if osp.isfile(osp.join(HERE, 'README.md')) else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    url=HOMEPAGE,
    project_urls={
        'Documentation': f'{HOMEPAGE}/tree/main/docs/en',
        'Changelog': f'{HOMEPAGE}/blob/main/docs/en/changelog.md',
        'Issues': f'{HOMEPAGE}/issues',
        'Paper': 'https://arxiv.org/abs/2203.06421',
    },
    keywords='video instance segmentation, MMDetection, OpenMMLab',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Typing :: Typed',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_packages(include=['mmcico', 'mmcico.*']),
    python_requires='>=3.10',
    package_data={'mmcico': ['py.typed', 'weights/*.pth']},
    entry_points=dict(console_scripts=['mmcico=mmcico.cli.main:main']),
    install_requires=parse_requirements('runtime') + opencv_requirement(),
    extras_require={
        'openmmlab': parse_requirements('openmmlab'),
        'onedl': parse_requirements('onedl'),
        'onnx': parse_requirements('onnx'),
        'supervision': parse_requirements('supervision'),
        'tracking': parse_requirements('tracking'),
        'test': [
            *parse_requirements('tests'),
            *parse_requirements('onnx'),
            *parse_requirements('docs'),
        ],
        'docs': parse_requirements('docs'),
    },
    cmdclass={'build_py': BuildWithMim},
    zip_safe=False,
)
