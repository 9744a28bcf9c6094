"""Check whether usable mmengine, mmcv and mmdet are installed, without importing them.

Two sets of packages provide these modules: OpenMMLab's own and the forks named ``onedl-*``.
"""

import importlib.util
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from packaging.version import Version


class Need(NamedTuple):
    """What one module needs: ``low <= version < high``.

    Attributes:
        packages: Packages that provide the module.
        low: Lowest version.
        high: First version that has not been tested.
        hard: Whether ``high`` is known not to work.
    """

    packages: tuple[str, ...]
    low: str
    high: str
    hard: bool = False


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


def judge(stack: str, found: dict[str, tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Compare the packages of a stack with what mmcico needs.

    Args:
        stack (str): Key of ``STACKS``.
        found (dict): Module -> (package, version).

    Returns:
        tuple[list[str], list[str]]: Errors and warnings, one line each.
    """
    errors, doubts = [], []
    for module, need in STACKS[stack].items():
        span = f'{need.packages[0]}>={need.low},<{need.high}'
        if module not in found:
            if importable(module):
                doubts.append(f'{module}: found without version, need {span}')
            else:
                errors.append(f'{module}: not installed, need {span}')
            continue
        package, number = found[module]
        text = f'{module}: found {package} {number}, '
        is_new = Version(number) >= Version(need.high)
        if Version(number) < Version(need.low) or (is_new and need.hard):
            errors.append(f'{text}need {span}')
        elif is_new:
            doubts.append(f'{text}tested with {span}')
    return errors, doubts


def check_packages() -> None:
    """Check the installed OpenMMLab packages; warn if they have not been tested.

    Raises:
        ImportError: If one is missing, too old or known not to work; the message says what was
            found, what is needed and which command installs it.
    """
    found = find_packages()
    stack = max(found, key=lambda each: len(found[each]))  # the stock one if equal
    errors, doubts = judge(stack, found[stack])
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
