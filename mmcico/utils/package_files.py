"""Files that come with the package: configs, tools, the model index."""

from pathlib import Path
from typing import Any

import mmcico


def package_root() -> Path:
    """Return the folder that has ``configs``: the repository, or ``mmcico/.mim``."""
    package = Path(mmcico.__file__).parent
    for root in (package / '.mim', package.parent):
        if (root / 'configs').is_dir() and (root / 'model-index.yml').is_file():
            return root
    raise ValueError(f'{package} has no configs beside it; install the package with pip')


def known_models() -> dict[str, dict[str, Any]]:
    """Return the entries of the model index by name.

    They have ``Config`` (a path that exists), ``Weights`` where there are any, and ``Results``.
    """
    import yaml

    root = package_root()
    models = {}
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    for path in index['Import']:
        for entry in yaml.safe_load((root / path).read_text())['Models']:
            models[entry['Name']] = dict(entry, Config=str(root / entry['Config']))
    return models


def package_configs() -> list[Path]:
    """Return every complete config of the package; parts in ``_base_`` are left out."""
    folder = package_root() / 'configs'
    return [path for path in sorted(folder.rglob('*.py')) if '_base_' not in path.parts]


def find_config(name: str) -> str:
    """Find a config from any folder.

    Args:
        name (str): Path of a file, path below the package's folder such as ``configs/demo/X.py``,
            name of ``mmcico models``, or a name with ``::`` that MMEngine resolves.

    Returns:
        str: Path of the config, or the name with ``::``.

    Raises:
        FileNotFoundError: If there is no such config.
    """
    if Path(name).is_file() or '::' in name:
        return name
    inside = package_root() / name
    if name.startswith('configs/') and inside.is_file():
        return str(inside)
    models = known_models()
    if name in models:
        return models[name]['Config']
    raise FileNotFoundError(
        f'config "{name}" does not exist: it is neither a file nor a model of the package; '
        '"mmcico models --paths" lists the configs of the package'
    )
