"""Tools whose reader stops: ``tool ... | head``."""

import io
import json
import os
import sys

import pytest
from small_sets import small_set
from tool_runs import run_unread

from mmcico.utils.patient_output import patient_output


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

        @patient_output()
        def work():
            print('a line', file=getattr(sys, name), flush=True)
            getattr(sys, name).writelines(['more', ' lines\n'])
            return 7

        assert work() == 7
        assert getattr(sys, name) is stream
        os.write(file.fileno(), b'goes nowhere')
    assert (tmp_path / 'out').read_text() == ''


def test_other_errors_are_not_hidden(monkeypatch):

    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, 'No space left on device')

    monkeypatch.setattr(sys, 'stdout', Full())
    with pytest.raises(OSError, match='No space left'), patient_output():
        print('a line')


def test_output_is_as_before(capsys):
    with patient_output():
        assert sys.stdout.write('four') == 4
        print('error', file=sys.stderr)
        assert not sys.stdout.closed
    assert capsys.readouterr() == ('four', 'error\n')


def test_without_any_output(monkeypatch):
    monkeypatch.setattr(sys, 'stdout', None)
    with patient_output():
        print('nowhere')
    assert sys.stdout is None


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
        ('analysis_tools/temporal_coherence.py', ['a.json']),
        ('analysis_tools/analyze_results.py', ['--help']),
    ],
)
def test_no_tool_complains(tmp_path, name, args):
    (tmp_path / 'a.json').write_text(json.dumps(small_set()))
    assert run_unread(tmp_path, name, *args) == (0, '')
