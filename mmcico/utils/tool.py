"""How a command line tool starts and ends: its parser, its errors, its output, its exit code.

A tool defines ``main(argv)``, which returns an exit code or None. The command line of the package
calls it by :func:`run_tool`, and so does the last line of the script::

    if __name__ == '__main__': sys.exit(run_tool(main))
"""

import argparse
import difflib
import gc
import inspect
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn, TextIO
from urllib.error import URLError

from .files import STREAMS, defined, without_secrets, write_whole
from .patient_output import patient_output

OK, USER_ERROR, USAGE, INTERRUPTED = 0, 1, 2, 130
#: how PyTorch begins the message of an error in a loader worker
WORKER_ERROR = re.compile(
    r'Caught (?P<name>\w+) in DataLoader worker process \d+\.\n'
    r'Original Traceback.*^(?:\w+\.)*(?P=name): (?P<message>.*)',
    re.MULTILINE | re.DOTALL,
)


class Program(NamedTuple):
    """How the help of a tool names it.

    Attributes:
        name: Command with its subcommand; None for the name of the script.
        examples: Arguments after the name, one string for each example.
    """

    name: str | None = None
    examples: Sequence[str] = ()


_PROGRAM: ContextVar[Program | None] = ContextVar('program', default=None)


class ToolParser(argparse.ArgumentParser):
    """Parser that names the option that a mistyped one is probably meant to be."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake, and exit with code 2."""
        if message.startswith('unrecognized arguments'):
            options = [name for each in self._actions for name in each.option_strings]
            for word in re.findall('(?<= )--?[a-z][a-z-]*', message):
                near = difflib.get_close_matches(word, options, 1)
                message += f'; did you mean {near[0]}?' if near else ''
        super().error(message)


def tool_parser(description: str | None, notes: str = '') -> argparse.ArgumentParser:
    """Return the parser of a tool, named as the user called the tool.

    The first line of the tool's docstring is enough as description (it is None with ``python
    -OO``); ``notes`` stand below the examples. The parser has the option ``--debug``, which
    :func:`run_tool` handles.
    """
    name, examples = _PROGRAM.get() or Program()
    lines = ['examples:', *(f'  {name} {each}' for each in examples), ''] if examples else []
    parser = ToolParser(
        prog=name,
        description=description,
        epilog='\n'.join([*lines, notes]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    return parser


def positive_int(text: str, least: int = 1) -> int:
    """Return the value of an option that counts something.

    Raises:
        ArgumentTypeError: If it is not a whole number from ``least`` up.
    """
    number = int(text) if text.lstrip('+-').isdecimal() else None
    if number is None or number < least:
        raise argparse.ArgumentTypeError(f'{text} is not a whole number from {least} up')
    return number


def natural_int(text: str) -> int:
    """Return the value of an option that may be 0, such as a seed; see :func:`positive_int`."""
    return positive_int(text, least=0)


def run_tool(
    main: Callable[[list[str]], int | None],
    argv: Sequence[str] | None = None,
    program: Program | None = None,
) -> int:
    """Run a tool; an error of the user ends in a short message instead of a traceback.

    Args:
        main (Callable): The tool.
        argv (Sequence[str], optional): Its arguments. Defaults to those of the process.
            ``--debug`` among them, or MMCICO_DEBUG in the environment, lets tracebacks through.
        program (Program, optional): How the help names the tool. Defaults to the script.

    Returns:
        int: Exit code: 0, 1 after an error of the user, 130 after Ctrl-C, or what the tool returns.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    debug = '--debug' in args or bool(os.environ.get('MMCICO_DEBUG'))
    token = _PROGRAM.set(program)
    try:
        with patient_output():  # which also takes the message of an error
            return _exit_code(main, [each for each in args if each != '--debug'], debug)
    finally:
        _PROGRAM.reset(token)


def _exit_code(main: Callable[[list[str]], int | None], args: list[str], debug: bool) -> int:
    """Run a tool and tell its errors."""
    try:
        code = main(args)
        leave_group()
        return code or OK
    except KeyboardInterrupt:
        if debug:
            raise
        _tell('interrupted; what was done is written\n')
        return INTERRUPTED
    except Exception as error:
        if debug or not is_user_error(error):
            raise
        text = error_text(error)
        between = '\n' if '\n' in text else ' '  # a command at the end stays whole
        _tell(f'error: {text}{between}(--debug shows where)\n')
        return USER_ERROR


def _tell(text: str) -> None:
    """Write a text to the error stream, after all output."""
    sys.stdout.flush()
    sys.stderr.write(text)


def leave_group() -> None:
    """Leave the group of processes of a distributed job, if there is one.

    PyTorch ends the threads of a process group when the last reference to it is gone. A gloo
    thread that still runs when Python shuts down may abort the process
    (https://github.com/pytorch/pytorch/pull/179291). The runner, a ring of references, holds the
    wrapper of the model and so the group. Called only after success: a rank that failed must not
    wait for the others.

    The last reference must be Python's own, which gives up Python's lock before the group waits for
    its threads. Where the wrapper of the model is the last one, both wait for each other for ever
    if a thread needs the lock to free a tensor.
    """
    distributed = sys.modules.get('torch.distributed')
    if distributed and distributed.is_available() and distributed.is_initialized():
        group = distributed.group.WORLD
        distributed.destroy_process_group()
        gc.collect()
        del group


def is_user_error(error: BaseException) -> bool:
    """Return whether the message of an error alone tells the user what to change."""
    if isinstance(error, KeyError):  # an unknown type in a config
        return 'registry' in str(error)
    if isinstance(error, (ValueError, OSError, SyntaxError, ImportError)):
        return True
    if isinstance(error, TypeError):  # a mistyped argument in a config
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        is_built = any(name.endswith('build_functions.py') for name in files)
        return is_built and 'keyword argument' in str(error)
    return type(error).__name__ == 'ConfigParsingError'  # MMEngine may not be installed


def error_text(error: BaseException) -> str:
    """Return the message that a user sees."""
    text = str(error.args[0] if isinstance(error, KeyError) else error).strip()
    in_worker = WORKER_ERROR.match(text)
    if in_worker:  # the last error of the worker's traceback is the one that matters
        text = in_worker['message'].strip() or in_worker['name']
    if isinstance(error, TypeError):
        text += _nearest_argument(error)
    if isinstance(error, URLError):
        text += _way_without_network(error)
    if isinstance(error, UnicodeEncodeError):
        text += _way_to_unicode(error)
    return text or type(error).__name__


def _nearest_argument(error: TypeError) -> str:
    """Return a hint at the argument of a class of a config that was probably meant."""
    built = _last_local(error, 'obj_cls')
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if built is None or found is None:
        return ''
    near = difflib.get_close_matches(found[1], inspect.signature(built).parameters, 1)
    return f'; did you mean "{near[0]}"?' if near else ''


def _way_without_network(error: URLError) -> str:
    """Return what could not be downloaded, and what to do about it."""
    url = _last_local(error, 'url')  # text, or a request
    url = without_secrets(str(getattr(url, 'full_url', url or 'a file')))
    hub = sys.modules.get('torch.hub')
    folder = f'{hub.get_dir()}/checkpoints' if hub else 'the folder "checkpoints" of torch.hub'
    return (
        f'; {url} could not be downloaded. Download it elsewhere and copy it to {folder}, where '
        'all commands find it, or give the file: by --weights FILE (predict), --from FILE '
        '(finetune), or --cfg-options model.backbone.init_cfg.checkpoint=FILE (train and test; '
        'model.backbone.init_cfg=None starts from random values)'
    )


def _way_to_unicode(error: UnicodeEncodeError) -> str:
    """Return the text that cannot be encoded, and what to do about it."""
    around = error.object[max(error.start - 40, 0) : error.end + 40]
    return f'; the text is {around!a}; if it is right, set PYTHONUTF8=1 in the environment'


def _last_local(error: BaseException, name: str) -> Any:
    """Return a local variable of the last function of an error's traceback that has it."""
    trace, found = error.__traceback__, None
    while trace is not None:
        found = trace.tb_frame.f_locals.get(name, found)
        trace = trace.tb_next
    return found


def align_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: the first column aligned left, the others right.

    >>> align_rows([['a', '1'], ['bc', '10']])
    ['a    1', 'bc  10']
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        '  '.join(
            [row[0].ljust(widths[0])] + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:])]
        ).rstrip()
        for row in rows
    ]


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; the first row is its head."""
    head, *others = (f'| {" | ".join(row)} |' for row in rows)
    return '\n'.join([head, '| --- ' * len(rows[0]) + '|', *others])


def add_json(parser: argparse.ArgumentParser, what: str, instead: str) -> None:
    """Add the option ``--json [FILE]`` for :func:`write_output`."""
    text = f'write {what} as JSON to a file (without one: to the output, {instead})'
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE', help=text)


def add_crowds(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--crowds-as-objects``."""
    text = 'read iscrowd as 0, because CVAT and brush tools set it for single objects'
    parser.add_argument('--crowds-as-objects', action='store_true', help=text)


def write_output(text: str, found: Any, target: str | None, stream: TextIO) -> None:
    """Write a table to a stream, JSON, or both.

    A ``target`` is the file for JSON, in addition to the table; ``'-'`` writes JSON in place of it.
    Numbers that are not defined are null in JSON.

    Raises:
        OSError: If a file cannot be written, or JSON in place of the table.
    """
    if target != '-':
        stream.write(text + '\n')  # first, since it cannot fail and may have taken long
    if not target:
        return
    content = json.dumps(defined(found), indent=1) + '\n'
    if target == '-':
        stream.write(content)
        stream.flush()
        error = getattr(stream, 'error', None)
        if error is not None:
            raise OSError(f'the JSON could not be written to the standard output: {error}')
    else:
        is_kept = os.path.islink(target) and not STREAMS.fullmatch(target)  # a link stays
        write_whole(os.path.realpath(target) if is_kept else target, content)
