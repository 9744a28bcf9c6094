"""Check whether usable mmengine, mmcv and mmdet are installed, without importing them.

Two sets of packages provide these modules: OpenMMLab's own and the forks named ``onedl-*``.
"""

import importlib.util
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from packaging.version import Version


class Need(NamedTuple):
    """Packages that provide a module, their lowest version and the first that is not tested."""

    packages: tuple[str, ...]
    low: str
    high: str
    hard: bool = False  # whether versions from ``high`` on are known not to work


#: stack -> module -> what it needs
STACKS = {
    'openmmlab': {
        'mmengine': Need(('mmengine', 'mmengine-lite'), '0.10.3', '0.11'),
        # MMDetection 3.3 refuses mmcv 2.2
        'mmcv': Need(('mmcv', 'mmcv-lite'), '2.0.0rc4', '2.2', True),
        'mmdet': Need(('mmdet',), '3.3.0', '3.4'),
    },
    'onedl': {
        'mmengine': Need(('onedl-mmengine',), '0.10.8', '0.11'),
        'mmcv': Need(('onedl-mmcv',), '2.3.0', '2.4'),
        'mmdet': Need(('onedl-mmdetection',), '3.5.0', '3.6'),
    },
}
COMMANDS = dict(
    openmmlab='pip install "mmengine==0.10.7" "mmcv-lite==2.1.0" "mmdet==3.3.0" "setuptools<82"',
    onedl='pip install "onedl-mmengine==0.10.12" "onedl-mmcv==2.3.6" "onedl-mmdetection==3.5.1"',
)


def find_packages() -> dict[str, dict[str, tuple[str, str]]]:
    """Return stack -> module -> (package, version) of what is installed."""
    found: dict[str, dict[str, tuple[str, str]]] = {stack: {} for stack in STACKS}
    for stack, needs in STACKS.items():
        for module, need in needs.items():
            for package in need.packages:
                try:
                    found[stack].setdefault(module, (package, version(package)))
                except PackageNotFoundError:
                    continue
    return found


def importable(module: str) -> bool:
    """Return whether Python finds a module; a source tree has no metadata."""
    return importlib.util.find_spec(module) is not None


def _judge(module: str, need: Need, found: tuple[str, str] | None) -> tuple[str, str]:
    """Return an error and a doubt about one module, each empty if there is none."""
    span = f'{need.packages[0]}>={need.low},<{need.high}'
    if found is None:
        if importable(module):
            return '', f'{module}: found without version, need {span}'
        return f'{module}: not installed, need {span}', ''
    text, number = f'{module}: found {found[0]} {found[1]}, ', Version(found[1])
    is_new = number >= Version(need.high)
    if number < Version(need.low) or (is_new and need.hard):
        return f'{text}need {span}', ''
    return '', f'{text}tested with {span}' if is_new else ''


def check_packages() -> None:
    """Check the installed OpenMMLab packages; warn if they have not been tested.

    Raises:
        ImportError: If one is missing, too old or known not to work; the message says what was
            found, what is needed and which command installs it.
    """
    found = find_packages()
    stack = max(found, key=lambda each: len(found[each]))  # the stock one if equal
    judged = [_judge(each, need, found[stack].get(each)) for each, need in STACKS[stack].items()]
    errors, doubts = ([text for text in texts if text] for texts in zip(*judged))
    if errors:
        head = 'mmcico cannot use the installed OpenMMLab packages:'
        raise ImportError('\n  '.join([head, *errors, f'to mend it, run: {COMMANDS[stack]}']))
    stock, forks = found['openmmlab'], found['onedl']
    doubts += [
        f'{module}: both {stock[module][0]} and {forks[module][0]} are installed and overwrite '
        'each other; uninstall both and install one'
        for module in stock
        if module in forks
    ]
    if doubts:
        head = 'mmcico has not been tested with these packages:'
        warnings.warn('\n  '.join([head, *doubts, f'if something fails, run: {COMMANDS[stack]}']))
