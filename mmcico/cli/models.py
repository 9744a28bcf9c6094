"""``mmcico models``: what the model index has."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcico.apis.package_files import known_models, package_root

EXAMPLES = """\
examples:
  mmcico models
  mmcico models ovis swin          only names with both words
  mmcico models --paths            with the paths of their configs

A name can be given to "mmcico predict --model NAME"."""


def parse_args(args: Sequence[str]) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        'mmcico models',
        description='List the models that have configs.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('words', nargs='*', help='parts of names')
    parser.add_argument('--paths', action='store_true', help='show the configs, too')
    return parser.parse_args(args)


def figure(entry: dict[str, Any]) -> str:
    """AP of an entry, "-" where there is none."""
    results = entry.get('Results') or [{}]
    return str(results[0].get('Metrics', {}).get('AP', '-'))


def table(models: dict[str, dict[str, Any]], root: Path, paths: bool) -> list[str]:
    """Lines to show.

    Args:
        models (dict): Entries by name.
        root (Path): Folder that paths are shown below.
        paths (bool): Whether to show them.

    Returns:
        list[str]: A heading, a line each, and what the figures are.
    """
    width = max(len(name) for name in models)
    lines = [f"{'name':<{width}}  paper's AP  weights"]
    for name, entry in models.items():
        weights = 'yes' if entry.get('Weights') else '-'
        lines.append(f'{name:<{width}}  {figure(entry):>10}  {weights}')
        if paths:
            lines.append(f'    {Path(entry["Config"]).relative_to(root)}')
    lines += [
        '',
        'AP is what the paper reports for the model on its data set (Tables 3, 4), not a result of',
        f'this package. Configs lie in {root}.',
    ]
    return lines


def run(name: str, args: list[str], debug: bool) -> None:
    """Show the models.

    Args:
        name (str): The command.
        args (list[str]): What follows it.
        debug (bool): Not used.

    Raises:
        ValueError: If no model has all words in its name.
    """
    parsed = parse_args(args)
    models = {
        model: entry
        for model, entry in known_models().items()
        if all(word.lower() in model for word in parsed.words)
    }
    if not models:
        raise ValueError(
            f'no model has {" and ".join(parsed.words)} in its name; "mmcico models" lists all'
        )
    lines = table(models, package_root(), parsed.paths)
    sys.stdout.write('\n'.join(lines) + '\n')
