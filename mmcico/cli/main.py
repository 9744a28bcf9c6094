"""``mmcico COMMAND ...``: the list of commands and their start."""

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from mmcico.utils.package_files import package_root
from mmcico.utils.patient_output import patient_output
from mmcico.utils.tool import USAGE, Program, run_tool
from mmcico.version import __version__


class Command(NamedTuple):
    """A command.

    Attributes:
        home: Module of this folder, or script below ``tools``; it has ``main(argv)``.
        summary: What it does, in a line.
        examples: Arguments after the name of the command.
    """

    home: str
    summary: str
    examples: Sequence[str] = ()


CONFIG = 'configs/cico/cico-yolact_r50_fpn_clip3_4xb6-12e_youtubevis2019.py'

COMMANDS: dict[str, Command] = dict(
    demo=Command(
        'demo',
        'a first look: generate a video and find its objects',
        ['', '--weights work_dirs/quickstart/iter_1500.pth --seed 3 --trail 20'],
    ),
    predict=Command(
        'predict',
        'find the objects of videos, cameras and folders of images',
        [
            'video.mp4                              a small model, to see the files',
            'video.mp4 --weights work_dirs/quickstart/iter_1500.pth',
            'a.mp4 b.mp4 frames/ --model CONFIG --weights MODEL.pth',
            '"clips/*.mp4" --weights MODEL.pth      a video each',
            '0 --weights MODEL.pth                  camera 0, Ctrl-C ends',
            'rtsp://host/stream --weights MODEL.pth --save json',
            '"frames/*.png" --weights MODEL.pth --fps 25 --boxes --trail 20',
        ],
    ),
    finetune=Command(
        'finetune',
        'train a model on videos of your own, test it and draw its results',
        [
            'data.json --images frames --time 20m',
            'data.json --images frames --from work_dirs/mine/iter_1500.pth --epochs 50',
            'data.json --images frames --out work_dirs/cats --config-only',
        ],
    ),
    train=Command(
        'train.py',
        'train a model',
        [
            f'{CONFIG} --amp',
            'CONFIG --work-dir work_dirs/mine --resume',
            'CONFIG --cfg-options train_dataloader.batch_size=2',
        ],
    ),
    test=Command(
        'test.py',
        'test a model on a data set',
        ['CONFIG work_dirs/mine/epoch_12.pth', 'CONFIG CHECKPOINT --show-dir pictures'],
    ),
    eval=Command(
        'eval.py',
        'measure a results file',
        [
            'valid/instances.json work_dirs/mine/results.json',
            'valid.json results.json --metric ovis --out figures.json',
        ],
    ),
    analyze=Command(
        'analysis_tools/analyze_results.py',
        'find the kinds of errors in a results file',
        ['valid.json work_dirs/mine/results.json --out analysis'],
    ),
    check=Command(
        'dataset_tools/check_dataset.py',
        'check an annotation file',
        ['train.json', 'train.json --images train/JPEGImages'],
    ),
    stats=Command('dataset_tools/stats.py', 'count what an annotation file has', ['train.json']),
    split=Command(
        'dataset_tools/split.py',
        'divide an annotation file into training and validation',
        ['train.json --num-valid 20'],
    ),
    convert=Command(
        'dataset_tools/convert.py',
        'convert annotations into another layout',
        [
            'masks DAVIS/JPEGImages/480p DAVIS/Annotations/480p --out davis.json',
            'cocovid cocovid.json --out youtube_vis.json',
            'coco instances.json --target 2021 --class-map coco --drop-unmatched '
            '--out coco_2021.json',
        ],
    ),
    browse=Command(
        'dataset_tools/browse.py',
        'draw a data set',
        [
            'data/train.json --images data/train --out browse --sheet',
            '--config CONFIG --out browse',
        ],
    ),
    shapes=Command(
        'dataset_tools/make_moving_shapes.py',
        'generate videos of moving shapes with annotations',
        ['--out data/moving_shapes/train --num-videos 250 --difficulty easy'],
    ),
    submit=Command(
        'dataset_tools/make_submission.py',
        'write the file that an evaluation server takes',
        ['results.json --ann valid.json --out submission.zip'],
    ),
    visualize=Command(
        'visualize_results.py',
        'draw or compare results files',
        [
            'valid/JPEGImages valid.json results.json --out overlays',
            'IMAGES ANNOTATIONS A.json B.json --side-by-side --clip 10 3 --out figures',
            'IMAGES ANNOTATIONS results.json --gallery --videos cat dog --out figures',
        ],
    ),
    export=Command(
        'deployment/export_onnx.py',
        'write the network of a clip as an ONNX file',
        ['CONFIG CHECKPOINT model.onnx', 'CONFIG CHECKPOINT model.onnx --height 384 --width 640'],
    ),
    benchmark=Command(
        'analysis_tools/benchmark.py',
        'measure the speed of a model, whole and by stage',
        [
            'CONFIG                                  random weights, generated video',
            'CONFIG CHECKPOINT --video video.mp4 --precision auto',
            'CONFIG --peers --out speed.json',
        ],
    ),
    flops=Command(
        'analysis_tools/get_flops.py',
        'count the parameters and multiplications of a model',
        ['CONFIG', 'CONFIG --size 480 864'],
    ),
    publish=Command(
        'model_converters/publish.py',
        'write a checkpoint without what only a resumed training needs',
        ['work_dirs/mine/epoch_12.pth models/mine.pth'],
    ),
    models=Command(
        'models',
        'list the models and configs of the package',
        ['', 'ovis swin          only names with both words', '--paths            every config'],
    ),
)

EXAMPLES = """\
first steps:
  mmcico demo                                      without data or weights
  mmcico predict video.mp4                         a small model, to see the files
  mmcico predict video.mp4 --weights MODEL.pth     overlay, masks, tracks
  mmcico predict 0 --weights MODEL.pth             a camera; Ctrl-C ends
  mmcico finetune data.json --images frames        your own videos

"mmcico COMMAND --help" explains a command, with examples.

exit codes: 0 done, 1 error, 2 wrong usage, 130 interrupted (Ctrl-C).
--debug after any command shows where an error comes from."""


def help_text() -> str:
    """Return what ``mmcico --help`` shows."""
    lines = [
        'usage: mmcico COMMAND ...',
        '',
        f'Clip-in clip-out video instance segmentation, mmcico {__version__}.',
        '',
        'commands:',
    ]
    lines += [f'  {name:<11}{command.summary}' for name, command in COMMANDS.items()]
    return '\n'.join([*lines, '', EXAMPLES, ''])


def _unknown(name: str) -> str:
    """Return a message that names the nearest command."""
    close = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f'; did you mean "{close[0]}"?' if close else ''
    return f'error: "{name}" is no command{hint}\ncommands are {", ".join(COMMANDS)}\n'


def load_tool(path: Path) -> ModuleType:
    """Import a script, which may import its neighbours, as a new module with each call.

    Raises:
        FileNotFoundError: If it does not exist.
    """
    spec = importlib.util.spec_from_file_location(f'mmcico_{path.stem}', path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f'{path} does not exist; install the package again')
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to those of the process.

    Returns:
        int: Exit code: 0, 1 after an error, 2 after wrong usage, 130 after Ctrl-C.
    """
    name, *rest = (sys.argv[1:] if argv is None else argv) or ('',)
    with patient_output():
        if name in ('-h', '--help', 'help'):
            sys.stdout.write(help_text())
            return 0
        if name == '--version':
            sys.stdout.write(f'mmcico {__version__}\n')
            return 0
        if name not in COMMANDS:
            sys.stderr.write(_unknown(name) if name else help_text())
            return USAGE
    home, _, examples = COMMANDS[name]

    def work(args: list[str]) -> int | None:
        if home.endswith('.py'):
            return load_tool(package_root() / 'tools' / home).main(args)
        return importlib.import_module(f'mmcico.cli.{home}').main(args)

    return run_tool(work, rest, Program(f'mmcico {name}', examples))
