"""Check whether usable mmengine, mmcv and mmdet are installed, without importing them.

Two sets of packages provide these modules: OpenMMLab's own and the forks named ``onedl-*``.
"""

import functools
import warnings
from importlib.machinery import PathFinder
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


#: removes packages that provide mmcv; pip would install one of the stock ones over the other
UNINSTALL = dict(openmmlab='pip uninstall -y mmcv mmcv-lite', onedl='pip uninstall -y onedl-mmcv')
#: installs an mmcv with compiled operators, as the documentation of the packages says
COMPILED = dict(
    openmmlab='pip install openmim\n  mim install "mmcv>=2.0.0rc4,<2.2.0"',
    onedl='pip install onedl-mim\n  mim install onedl-mmcv',
)


def _version(package: str) -> Version | None:
    """Return the version of a package, None if it is not installed or its metadata is damaged."""
    try:
        return Version(version(package))
    except (PackageNotFoundError, KeyError, TypeError, ValueError):
        return None


def find_packages() -> dict[str, dict[str, dict[str, Version]]]:
    """Return stack -> module -> package -> version of what is installed."""
    return {
        stack: {
            module: {name: found for name in need.packages if (found := _version(name))}
            for module, need in needs.items()
        }
        for stack, needs in STACKS.items()
    }


def installed_stack() -> str:
    """Return the stack of which most is installed, the stock one if equal."""
    return _largest(find_packages())


def _largest(found: dict[str, dict[str, dict[str, Version]]]) -> str:
    return max(found, key=lambda each: sum(map(bool, found[each].values())))


def importable(module: str) -> bool:
    """Return whether Python finds a module; a source tree has no metadata."""
    return PathFinder.find_spec(module) is not None


def _judge(module: str, need: Need, found: dict[str, Version]) -> tuple[str, str]:
    """Return an error and a doubt about one module, each empty if there is none."""
    span = f'{need.packages[0]}>={need.low},<{need.high}'
    if not found:
        if importable(module):
            return '', f'{module}: found without version, need {span}'
        return f'{module}: not installed, need {span}', ''
    text = f'{module}: found {" and ".join(f"{name} {each}" for name, each in found.items())}, '
    is_new = max(found.values()) >= Version(need.high)
    if min(found.values()) < Version(need.low) or (is_new and need.hard):
        return f'{text}need {span}', ''
    return '', f'{text}tested with {span}' if is_new else ''


@functools.cache
def check_packages() -> None:
    """Check the installed OpenMMLab packages once; warn if they have not been tested.

    Raises:
        ImportError: If one is missing, too old or known not to work; the message says what was
            found, what is needed and which command installs it.
    """
    found = find_packages()
    stack = _largest(found)
    judged = [_judge(name, need, found[stack][name]) for name, need in STACKS[stack].items()]
    errors, doubts = ([text for text in texts if text] for texts in zip(*judged))
    if errors:
        head = 'mmcico cannot use the installed OpenMMLab packages:'
        is_wrong = any(text.startswith('mmcv: found') for text in errors)
        commands = [UNINSTALL[stack]] * is_wrong + [COMMANDS[stack]]
        raise ImportError('\n  '.join([head, *errors, 'to mend it, run:', *commands]))
    stock, forks = found['openmmlab'], found['onedl']
    doubts += [
        f'{module}: both {next(iter(stock[module]))} and {next(iter(forks[module]))} are installed '
        'and overwrite each other; uninstall both and install one'
        for module in stock
        if stock[module] and forks[module]
    ]
    if doubts:
        head = 'mmcico has not been tested with these packages:'
        warnings.warn('\n  '.join([head, *doubts, f'if something fails, run: {COMMANDS[stack]}']))
