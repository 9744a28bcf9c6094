"""``mmcico models``: the models and configs of the package."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from mmcico.utils.package_files import known_models, package_configs, package_root
from mmcico.utils.tool import tool_parser

NOTES = 'A name or a path can be given wherever a command takes a config.'


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = tool_parser('List the models of the paper, or all configs of the package.', NOTES)
    parser.add_argument('words', nargs='*', help='parts of names; only names with all are listed')
    parser.add_argument('--paths', action='store_true', help='list the paths of all configs')
    return parser.parse_args(argv)


def _figure(entry: dict[str, Any]) -> str:
    """Return the AP of an entry, "-" where there is none."""
    results = entry.get('Results') or [{}]
    return str(results[0].get('Metrics', {}).get('AP', '-'))


def table(models: dict[str, dict[str, Any]]) -> list[str]:
    """Return the lines of a table of entries of the model index by name."""
    width = max(len(name) for name in models)
    lines = [f"{'name':<{width}}  paper's AP  weights"]
    for name, entry in models.items():
        weights = 'yes' if entry.get('Weights') else '-'
        lines.append(f'{name:<{width}}  {_figure(entry):>10}  {weights}')
    return [
        *lines,
        '',
        'AP is what the paper reports for the model on its data set (Tables 3, 4), not a result of',
        f'this package. Configs are in {package_root()}; --paths lists them.',
    ]


def main(argv: Sequence[str]) -> None:
    """List the models or the configs.

    Raises:
        ValueError: If no name has all words.
    """
    args = parse_args(argv)
    if args.paths:
        root = package_root()
        names: dict[str, dict[str, Any]] = {
            str(path.relative_to(root)): {} for path in package_configs()
        }
    else:
        names = known_models()
    names = {k: v for k, v in names.items() if all(word.lower() in k for word in args.words)}
    if not names:
        raise ValueError(
            f'no model has {" and ".join(args.words)} in its name; "mmcico models" lists all'
        )
    sys.stdout.write('\n'.join(names if args.paths else table(names)) + '\n')
