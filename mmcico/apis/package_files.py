"""Files that come with the package: configs, tools, the model index."""

from pathlib import Path
from typing import Any

import mmcico


def package_root() -> Path:
    """Folder that has ``configs``: the repository, or ``mmcico/.mim``."""
    package = Path(mmcico.__file__).parent
    for root in (package / '.mim', package.parent):
        if (root / 'configs').is_dir() and (root / 'model-index.yml').is_file():
            return root
    raise ValueError(f'{package} has no configs beside it; install the package with pip')


def known_models() -> dict[str, dict[str, Any]]:
    """Entries of the model index by name.

    Returns:
        dict: Name -> ``Config`` (a path that exists), ``Weights`` where
        there are any, ``Results``.
    """
    import yaml

    root = package_root()
    models = {}
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    for path in index['Import']:
        for entry in yaml.safe_load((root / path).read_text())['Models']:
            models[entry['Name']] = dict(entry, Config=str(root / entry['Config']))
    return models
