"""Measure a results file: ``python tools/eval.py GT.json RESULTS.json``.

Runs from any folder and needs numpy and pycocotools only. It ends with 0, or
with 1 and a message if a file cannot be used.
"""
import argparse
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description='Measure results of video instance segmentation')
    parser.add_argument(
        'ground_truth', help='annotations in the layout of YouTube-VIS')
    parser.add_argument('results', help='results.json of a test')
    parser.add_argument(
        '--metric',
        choices=['ytvis', 'ovis'],
        default='ytvis',
        help='ovis adds figures by occlusion')
    parser.add_argument('--out', help='JSON file for the figures')
    return parser.parse_args()


def pure_import(name: str) -> ModuleType:
    """Import a part of mmcico that needs no OpenMMLab package.

    ``mmcico/__init__.py`` asks for these packages, so it is not run.
    """
    root = Path(__file__).resolve().parents[1]
    if (root / 'mmcico' / '__init__.py').is_file():
        sys.path.insert(0, str(root))
    if 'mmcico' not in sys.modules:
        spec = importlib.util.find_spec('mmcico')
        if spec is None:
            raise ImportError('mmcico is not installed; run "pip install ." '
                              'in its source folder')
        sys.modules['mmcico'] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f'mmcico.{name}')


def main() -> int:
    """Read both files, print the table, write the figures."""
    args = parse_args()
    evaluation = pure_import('evaluation')
    try:
        truth = evaluation.read_ground_truth(args.ground_truth)
        if not truth.has_annotations:
            raise ValueError(
                f'{args.ground_truth} has no annotations, so there is nothing '
                'to measure against; send submission.zip to the server')
        tracks = evaluation.read_results(args.results, truth)
        metrics = evaluation.evaluate(truth, tracks, args.metric)
        if args.out:
            evaluation.save_metrics(args.out, metrics)
    except (ValueError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    if args.metric == 'ovis' and truth.without_occlusion:
        print(
            f'warning: {truth.without_occlusion} annotations have no field '
            'occlusion; they count as not occluded',
            file=sys.stderr)
    print(evaluation.format_table(metrics))
    return 0


if __name__ == '__main__':
    sys.exit(main())
