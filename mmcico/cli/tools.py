"""Commands that are the scripts of ``tools/``, with all their arguments."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from mmcico.apis.package_files import known_models, package_root


class Tool(NamedTuple):
    """A script.

    Attributes:
        path: below ``tools``.
        examples: arguments after the command's name.
    """

    path: str
    examples: list[str]


CONFIG = 'configs/cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

TOOLS = dict(
    train=Tool(
        'train.py',
        [
            f'{CONFIG} --amp',
            'CONFIG --work-dir work_dirs/mine --resume',
            'CONFIG --cfg-options train_dataloader.batch_size=2',
        ],
    ),
    test=Tool(
        'test.py', ['CONFIG work_dirs/mine/epoch_12.pth', 'CONFIG CHECKPOINT --show-dir pictures']
    ),
    eval=Tool(
        'eval.py',
        [
            'valid/instances.json work_dirs/mine/results.json',
            'valid.json results.json --metric ovis --out figures.json',
        ],
    ),
    browse=Tool(
        'dataset_tools/browse.py',
        [
            'data/train.json --images data/train --out browse --sheet',
            '--config CONFIG --out browse',
        ],
    ),
    convert=Tool(
        'dataset_tools/convert.py',
        [
            'masks DAVIS/JPEGImages/480p DAVIS/Annotations/480p --out davis.json',
            'cocovid cocovid.json --out youtube_vis.json',
            'coco instances.json --target 2021 --class-map coco --drop-unmatched '
            '--out coco_2021.json',
        ],
    ),
    export=Tool(
        'deployment/export_onnx.py',
        ['CONFIG CHECKPOINT model.onnx', 'CONFIG CHECKPOINT model.onnx --height 384 --width 640'],
    ),
    visualize=Tool(
        'visualize_results.py',
        [
            'valid/JPEGImages valid.json results.json --out overlays',
            'IMAGES ANNOTATIONS A.json B.json --side-by-side --clip 10 3 --out figures',
            'IMAGES ANNOTATIONS results.json --gallery --videos cat dog --out figures',
        ],
    ),
)


@contextmanager
def process_arguments(name: str, args: list[str]) -> Iterator[None]:
    """Let a script read ``args`` as its command line."""
    before = sys.argv
    sys.argv = [f'mmcico {name}', *args]
    try:
        yield
    finally:
        sys.argv = before


def load_tool(path: Path) -> ModuleType:
    """Import a script, which may import its neighbours.

    Raises:
        ValueError: If it is not there.
    """
    if not path.is_file():
        raise ValueError(f'{path} does not exist; install the package anew')
    spec = importlib.util.spec_from_file_location(f'mmcico_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def find_config(text: str) -> str:
    """A config of the package by its path or name, from any folder.

    Args:
        text (str): An argument of a tool.

    Returns:
        str: The config's path, for ``configs/...py`` and the names of
        ``mmcico models``; other arguments, and files that are there, as they
        were.
    """
    if Path(text).exists():
        return text
    if text.startswith('configs/') and text.endswith('.py'):
        path = package_root() / text
        return str(path) if path.is_file() else text
    if text.startswith('cico-') and text in known_models():
        return known_models()[text]['Config']
    return text


def run(name: str, args: list[str], debug: bool) -> int | None:
    """Run a script.

    Args:
        name (str): The command.
        args (list[str]): What follows it.
        debug (bool): Whether to let tracebacks through.

    Returns:
        int | None: Its exit code.
    """
    tool = TOOLS[name]
    args = [find_config(each) for each in args]
    with process_arguments(name, args):
        module = load_tool(package_root() / 'tools' / tool.path)
        try:
            if hasattr(module, 'run_tool'):
                module.run_tool(module.main, debug)
                return None
            return module.main()
        except SystemExit as end:
            if not end.code and {'-h', '--help'} & set(args):
                lines = [f'  mmcico {name} {each}' for each in tool.examples]
                sys.stdout.write('\n'.join(['', 'examples:', *lines, '']))
            raise
