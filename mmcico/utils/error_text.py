"""Errors as a user of a command line tool sees them: short, and with a way out."""

import difflib
import inspect
import re
import sys
import traceback
from typing import Any
from urllib.error import URLError

from .files import without_secrets

#: how PyTorch begins the message of an error in a loader worker
WORKER_ERROR = re.compile(
    r'Caught (?P<name>\w+) in DataLoader worker process \d+\.\n'
    r'Original Traceback.*^(?:\w+\.)*(?P=name): (?P<message>.*)',
    re.MULTILINE | re.DOTALL,
)


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
