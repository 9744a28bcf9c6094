"""How tools start and end; tools whose reader stops: ``tool ... | head``."""

import io
import json
import os
import subprocess
import sys
from urllib.error import URLError
from urllib.request import Request

import pytest
import torch
from mmengine.utils.dl_utils import load_url
from small_sets import small_set
from tool_runs import TOOLS, run_unread

from mmcico.utils.patient_output import patient_output
from mmcico.utils.tool import Program, is_user_error, run_tool, tool_parser, write_output


def fail(error):
    raise error


def test_endings(capsys):
    assert run_tool(lambda argv: None, []) == 0
    assert run_tool(lambda argv: len(argv), ['a', '--debug', 'b']) == 2
    assert run_tool(lambda argv: fail(KeyboardInterrupt()), []) == 130
    assert 'what was done is written' in capsys.readouterr().err
    assert run_tool(lambda argv: fail(OSError()), []) == 1
    assert capsys.readouterr().err == 'error: OSError (--debug shows where)\n'


def test_without_network_the_way_out_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))

    def no_network(request):
        raise URLError('Name or service not known')

    def download(url):
        no_network(Request(url))

    assert run_tool(lambda argv: download('https://me:word@host/a.pth?key=1'), []) == 1
    said = capsys.readouterr().err
    assert 'Name or service not known' in said
    assert 'https://***@host/a.pth could not be downloaded. Download it' in said
    assert f'copy it to {tmp_path}/checkpoints, where all commands find it' in said
    assert '--weights FILE (predict), --from FILE (finetune), or --cfg-options model.back' in said
    # the folder is the one in which MMEngine looks
    (tmp_path / 'checkpoints').mkdir()
    torch.save({'a': 1}, tmp_path / 'checkpoints' / 'a.pth')
    assert load_url('https://host/a.pth?key=1') == {'a': 1}


def test_text_that_the_locale_lacks_is_shown(capsys):
    assert run_tool(lambda argv: ('x' * 99 + '\u4e16' + 'y' * 99).encode('ascii'), []) == 1
    said = capsys.readouterr().err
    text = 'x' * 40 + '\\u4e16' + 'y' * 40
    assert f"; the text is '{text}'; if it is right, set PYTHONUTF8=1 in the env" in said


def test_which_errors_are_the_users():
    assert is_user_error(ValueError('x'))
    assert is_user_error(FileNotFoundError('x'))
    assert is_user_error(ModuleNotFoundError('Please run "pip install wandb"'))
    assert is_user_error(KeyError('X is not in the mmdet::model registry'))
    assert not is_user_error(KeyError('x'))
    assert not is_user_error(TypeError('x'))


@pytest.mark.parametrize('error', [TypeError('a mistake'), KeyError('field')])
def test_our_own_mistakes_keep_their_traceback(error):
    with pytest.raises(type(error)):
        run_tool(lambda argv: fail(error), [])


@pytest.mark.parametrize('args, env', [(['--debug'], ''), ([], '1')])
def test_debug_lets_errors_through(args, env, monkeypatch):
    monkeypatch.setenv('MMCICO_DEBUG', env)
    with pytest.raises(ValueError, match='here'):
        run_tool(lambda argv: fail(ValueError('here')), args)


def test_help_has_the_name_and_the_examples(capsys):
    def tool(argv):
        tool_parser('Does nothing.', 'A note.').parse_args(argv)

    with pytest.raises(SystemExit):
        run_tool(tool, ['--help'], Program('mmcico nothing', ['now', 'later']))
    said = capsys.readouterr().out
    assert said.startswith('usage: mmcico nothing ')
    assert 'examples:\n  mmcico nothing now\n  mmcico nothing later\n\nA note.\n' in said


def test_help_needs_no_docstrings():
    tool = TOOLS / 'dataset_tools' / 'check_dataset.py'
    done = subprocess.run(
        [sys.executable, '-OO', str(tool), '--help'], capture_output=True, text=True
    )
    assert done.stdout.startswith('usage: check_dataset.py ') and done.stderr == ''
    for path in TOOLS.rglob('*.py'):
        assert '(__doc__.' not in path.read_text(encoding='utf-8'), path


class Unread(io.StringIO):
    """A pipe that nobody reads; it fails when it is flushed, or at once."""

    def __init__(self, number, at_once):
        super().__init__()
        self.number, self.at_once = number, at_once

    def fileno(self):
        return self.number

    def write(self, text):
        if self.at_once:
            raise BrokenPipeError
        return super().write(text)

    def flush(self):
        raise BrokenPipeError


@pytest.mark.parametrize('at_once', [False, True])
@pytest.mark.parametrize('name', ['stdout', 'stderr'])
def test_work_goes_on_without_a_reader(monkeypatch, tmp_path, at_once, name):
    with (tmp_path / 'out').open('w') as file:
        stream = Unread(file.fileno(), at_once)
        monkeypatch.setattr(sys, name, stream)

        with patient_output():
            print('a line', file=getattr(sys, name), flush=True)
            getattr(sys, name).writelines(['more', ' lines\n'])
        assert getattr(sys, name) is stream
        os.write(file.fileno(), b'goes nowhere')
    assert (tmp_path / 'out').read_text() == ''


FULL = pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no device that is always full')


@FULL
@pytest.mark.parametrize('name', ['stdout', 'stderr'])
def test_work_goes_on_where_output_cannot_be_written(monkeypatch, capsys, name):
    with open('/dev/full', 'w') as stream:
        monkeypatch.setattr(sys, name, stream)
        with patient_output():
            print('a line', file=getattr(sys, name), flush=True)
            print('a second one', file=getattr(sys, name))
    told = 'warning: the output is not complete: No space left on device\n'
    assert capsys.readouterr().err == (told if name == 'stdout' else '')


@FULL
def test_json_that_is_lost_is_an_error(monkeypatch, capsys):
    with open('/dev/full', 'w') as stream:
        monkeypatch.setattr(sys, 'stdout', stream)
        assert run_tool(lambda argv: write_output('table', {}, '-', sys.stdout), []) == 1
    assert 'error: the JSON could not be written to the standard output' in capsys.readouterr().err


def test_no_stream_at_all(monkeypatch):
    """As with ``pythonw``; errors are told to nobody."""
    for name in ('stdout', 'stderr'):
        monkeypatch.setattr(sys, name, None)
    assert run_tool(lambda argv: sys.stdout.write('four') - 4 + sys.stderr.write(''), []) == 0
    assert run_tool(lambda argv: fail(ValueError('here')), []) == 1
    assert sys.stdout is sys.stderr is None


def test_output_is_as_before(capsys):
    with patient_output():
        assert sys.stdout.write('four') == 4
        print('error', file=sys.stderr)
        assert not sys.stdout.closed
    assert capsys.readouterr() == ('four', 'error\n')


@pytest.mark.parametrize('changes, code', [({}, 0), ({'videos': []}, 1)])
def test_the_exit_code_is_that_of_the_work(tmp_path, changes, code):
    (tmp_path / 'a.json').write_text(json.dumps(dict(small_set(), **changes)))
    assert run_unread(tmp_path, 'dataset_tools/check_dataset.py', 'a.json') == (code, '')


@pytest.mark.parametrize(
    'name, args',
    [
        ('dataset_tools/stats.py', ['a.json', '--json']),
        ('dataset_tools/split.py', ['a.json', '--num-valid', '1']),
        ('dataset_tools/convert.py', ['--help']),
        ('dataset_tools/check_submission.py', ['--help']),
        ('dataset_tools/make_submission.py', ['--help']),
        ('dataset_tools/make_moving_shapes.py', ['--help']),
        ('benchmarks/temporal_coherence.py', ['a.json']),
        ('analysis_tools/analyze_results.py', ['--help']),
    ],
)
def test_no_tool_complains(tmp_path, name, args):
    (tmp_path / 'a.json').write_text(json.dumps(small_set()))
    assert run_unread(tmp_path, name, *args) == (0, '')


class Broken(torch.utils.data.Dataset):
    """A data set none of whose files can be read."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        try:
            raise ValueError('first cause')
        except ValueError as error:
            raise ValueError('video 3: image a/5.jpg is broken\nget the file again') from error


def test_errors_of_loader_workers_are_as_short_as_others(capsys):
    loader = torch.utils.data.DataLoader(Broken(), num_workers=1, persistent_workers=True)
    assert run_tool(lambda argv: list(loader), []) == 1
    loader._iterator._shutdown_workers()  # the garbage collector would wait five seconds for it
    expected = 'video 3: image a/5.jpg is broken\nget the file again'
    # in a line of its own, so that a command at the end of a message can be copied
    assert capsys.readouterr().err == f'error: {expected}\n(--debug shows where)\n'
