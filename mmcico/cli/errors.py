"""How commands end: exit codes and messages."""

import sys
from collections.abc import Callable

OK, USER_ERROR, USAGE, INTERRUPTED = 0, 1, 2, 130


def is_user_error(error: BaseException) -> bool:
    """Whether the message alone tells a user what to change."""
    if isinstance(error, (ValueError, OSError, SyntaxError)):
        return True
    if 'mmengine' not in sys.modules:
        return False
    from mmcico.utils.launch import is_user_error as of_tools

    return of_tools(error)


def guarded(work: Callable[[], int | None], debug: bool) -> int:
    """Run a command; a user's error is told without a traceback.

    Args:
        work (Callable): The command; its result is an exit code.
        debug (bool): Whether to let tracebacks through.

    Returns:
        int: Exit code: 0, 1 after a user's error, 130 after Ctrl-C.
    """
    try:
        return work() or OK
    except KeyboardInterrupt:
        if debug:
            raise
        sys.stderr.write('interrupted; what was done is written\n')
        return INTERRUPTED
    except Exception as error:
        if debug or not is_user_error(error):
            raise
        text = str(error.args[0] if isinstance(error, KeyError) else error)
        text = text.strip() or type(error).__name__
        sys.stderr.write(f'error: {text}\n(--debug shows where)\n')
        return USER_ERROR
