"""Are usable mmengine, mmcv and mmdet installed?  Told without importing.

Two sets of packages provide these modules: OpenMMLab's own and the
maintained forks named ``onedl-*``.
"""

import importlib.util
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from packaging.version import Version


class Need(NamedTuple):
    """What one module needs: ``low <= version < high``.

    ``hard`` tells whether ``high`` is known not to work; otherwise it has
    only not been tried.
    """

    packages: tuple[str, ...]
    low: str
    high: str
    hard: bool = False


class Stack(NamedTuple):
    """One set of packages and the command that installs it."""

    needs: dict[str, Need]
    command: str


STACKS = {
    'openmmlab': Stack(
        {
            'mmengine': Need(('mmengine', 'mmengine-lite'), '0.10.3', '0.11'),
            # MMDetection 3.3 refuses mmcv 2.2
            'mmcv': Need(('mmcv', 'mmcv-lite'), '2.0.0rc4', '2.2', True),
            'mmdet': Need(('mmdet',), '3.3.0', '3.4'),
        },
        'pip install "mmengine==0.10.7" "mmcv-lite==2.1.0" "mmdet==3.3.0" "setuptools<82"',
    ),
    'onedl': Stack(
        {
            'mmengine': Need(('onedl-mmengine',), '0.10.8', '0.11'),
            'mmcv': Need(('onedl-mmcv',), '2.3.0', '2.4'),
            'mmdet': Need(('onedl-mmdetection',), '3.5.0', '3.6'),
        },
        'pip install "onedl-mmengine==0.10.12" "onedl-mmcv==2.3.6" "onedl-mmdetection==3.5.1"',
    ),
}
MODULES = ('mmengine', 'mmcv', 'mmdet')


def installed_version(packages: tuple[str, ...]) -> tuple[str, str] | None:
    """Name and version of the first installed of ``packages``."""
    for package in packages:
        try:
            return package, version(package)
        except PackageNotFoundError:
            continue
    return None


def find_packages() -> dict[str, dict[str, tuple[str, str]]]:
    """stack -> module -> (package, version), of what is installed."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for stack, (needs, _) in STACKS.items():
        answers = {module: installed_version(need.packages) for module, need in needs.items()}
        found[stack] = {m: each for m, each in answers.items() if each}
    return found


def importable(module: str) -> bool:
    """Whether Python finds the module; a source tree has no metadata."""
    return importlib.util.find_spec(module) is not None


def judge(
    stack: str, found: dict[str, tuple[str, str]], present: dict[str, bool]
) -> tuple[list[str], list[str]]:
    """Compare what was found with what is needed.

    Args:
        stack (str): key of ``STACKS``.
        found (dict): module -> (package, version).
        present (dict): module -> whether it can be imported.

    Returns:
        tuple[list[str], list[str]]: errors and warnings, one line each.
    """
    errors, doubts = [], []
    for module, need in STACKS[stack].needs.items():
        name = need.packages[0]
        span = f'{name}>={need.low},<{need.high}'
        if module not in found:
            known = present.get(module, False)
            text = (
                f'{module}: found without version, need {span}'
                if known
                else f'{module}: not installed, need {span}'
            )
            (doubts if known else errors).append(text)
            continue
        package, number = found[module]
        text = f'{module}: found {package} {number}, '
        if Version(number) < Version(need.low):
            errors.append(text + f'need {span}')
        elif Version(number) >= Version(need.high):
            (errors if need.hard else doubts).append(
                text + f'{"need" if need.hard else "tested with"} {span}'
            )
    return errors, doubts


def _choose_stack(found: dict[str, dict[str, tuple[str, str]]]) -> str:
    """The stack with more of its packages installed, stock if equal."""
    return max(found, key=lambda stack: len(found[stack]))


def _mixture(found: dict[str, dict[str, tuple[str, str]]]) -> list[str]:
    """Modules which two installed packages provide."""
    stock, forks = found['openmmlab'], found['onedl']
    return [
        f'{module}: both {stock[module][0]} and {forks[module][0]} are '
        'installed and overwrite each other; uninstall both and install one'
        for module in MODULES
        if module in stock and module in forks
    ]


def check_packages() -> None:
    """Raise or warn if the mm-packages cannot work with mmcico.

    Raises:
        ImportError: if one is missing, too old or known not to work; says
            what was found, what is needed and the command that mends it.
    """
    found = find_packages()
    stack = _choose_stack(found)
    present = {module: module in found[stack] or importable(module) for module in MODULES}
    errors, doubts = judge(stack, found[stack], present)
    command = STACKS[stack].command
    if errors:
        raise ImportError(
            '\n  '.join(
                ['mmcico cannot use the installed OpenMMLab packages:']
                + errors
                + [f'to mend it, run: {command}']
            )
        )
    doubts += _mixture(found)
    if doubts:
        warnings.warn(
            '\n  '.join(
                ['mmcico has not been tested with these packages:']
                + doubts
                + [f'if something fails, run: {command}']
            )
        )
