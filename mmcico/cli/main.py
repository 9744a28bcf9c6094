"""``mmcico COMMAND ...``: the list of commands, and the way to one."""

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from mmcico.utils.patient_output import patient_output
from mmcico.version import __version__

from .errors import USAGE, guarded


class Command(NamedTuple):
    """A command.

    Attributes:
        module: file of this folder with ``run(name, args, debug)``.
        summary: what it does, in a line.
    """

    module: str
    summary: str


COMMANDS: dict[str, Command] = dict(
    demo=Command('demo', 'a first look: generate a video, find its objects'),
    predict=Command('predict', 'objects of your videos, cameras, folders'),
    train=Command('tools', 'train a model'),
    test=Command('tools', 'test a model on a data set'),
    eval=Command('tools', 'measure a results file'),
    browse=Command('tools', 'look at a data set'),
    convert=Command('tools', 'bring annotations into another layout'),
    visualize=Command('tools', 'draw or compare results files'),
    export=Command('tools', 'write the network of a clip as an ONNX file'),
    models=Command('models', 'list the models that have configs'),
)

EXAMPLES = """\
first steps:
  mmcico demo                                      without data or weights
  mmcico predict video.mp4 --weights MODEL.pth     overlay, masks, tracks
  mmcico predict 0 --weights MODEL.pth             a camera; Ctrl-C ends
  mmcico train configs/demo/cico-yolact_demo_moving-shapes.py

"mmcico COMMAND --help" explains a command, with examples.

exit codes: 0 done, 1 error, 2 wrong usage, 130 interrupted (Ctrl-C).
--debug after any command shows where an error comes from."""


def help_text() -> str:
    """What ``mmcico --help`` says."""
    lines = [
        'usage: mmcico COMMAND ...',
        '',
        f'Clip-in clip-out video instance segmentation, mmcico {__version__}.',
        '',
        'commands:',
    ]
    lines += [f'  {name:<11}{command.summary}' for name, command in COMMANDS.items()]
    return '\n'.join([*lines, '', EXAMPLES, ''])


def unknown(name: str) -> str:
    """A complaint that helps."""
    close = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f'; did you mean "{close[0]}"?' if close else ''
    return f'error: "{name}" is no command{hint}\ncommands are {", ".join(COMMANDS)}\n'


@patient_output()
def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv (Sequence[str], optional): Arguments; those of the process if
            left out.

    Returns:
        int: Exit code: 0, 1 after an error, 2 after wrong usage, 130 after
        Ctrl-C.
    """
    args: list[str] = list(sys.argv[1:] if argv is None else argv)
    if not args:
        sys.stderr.write(help_text())
        return USAGE
    name, rest = args[0], args[1:]
    if name in ('-h', '--help', 'help'):
        sys.stdout.write(help_text())
        return 0
    if name == '--version':
        sys.stdout.write(f'mmcico {__version__}\n')
        return 0
    if name not in COMMANDS:
        sys.stderr.write(unknown(name))
        return USAGE
    debug = '--debug' in rest or bool(os.environ.get('MMCICO_DEBUG'))
    rest = [each for each in rest if each != '--debug']

    def work() -> int | None:
        home = f'mmcico.cli.{COMMANDS[name].module}'
        return importlib.import_module(home).run(name, rest, debug)

    return guarded(work, debug)
