import errno
import io
import json
import os
import sys

import numpy as np
import pytest

from mmcico.formats.problems import short
from mmcico.utils.files import natural_key, whole_file, write_whole
from mmcico.utils.tool import write_output


def test_natural_order():
    names = ['f10', 'f9b', 'f9', '2', 'f', '10', '-']
    expected = ['2', '10', '-', 'f', 'f9', 'f9b', 'f10']
    assert sorted(names, key=natural_key) == expected
    # more digits than int() takes
    long = ['1' * 5000, '2' + '0' * 5000]
    assert sorted(long[::-1], key=natural_key) == long


def test_short_values():
    assert short(['a']) == "['a']"
    assert short('a' * 58) == repr('a' * 58)
    assert short('a' * 59) == "'" + 'a' * 56 + '...'


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'new' / 'a.txt'
    write_whole(path, 'first')
    write_whole(path, 'second')
    assert path.read_text() == 'second'
    with pytest.raises(OSError, match='cannot write the file .*new: '):
        write_whole(path.parent, 'a folder is in the way')
    assert sorted(tmp_path.rglob('*')) == [path.parent, path]


def test_errors_of_other_files_are_not_said_to_be_of_writing(tmp_path):
    path = tmp_path / 'a.txt'
    with pytest.raises(FileNotFoundError) as told, whole_file(path):
        (tmp_path / 'none.txt').read_text()
    assert 'none.txt' in str(told.value) and 'a.txt' not in str(told.value)
    with pytest.raises(OSError, match='cannot write the file .*a.txt: No space'), whole_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_a_link_to_a_report_stays_a_link(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path / 'a.json')
    for found in ([1], [2]):
        write_output('text', found, str(tmp_path / 'link'), io.StringIO())
        assert (tmp_path / 'link').is_symlink()
        assert json.loads((tmp_path / 'a.json').read_text()) == found
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize('target', ['-', 'a.json'])
def test_what_is_not_defined_is_null_in_a_report(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    stream = io.StringIO()
    write_output('text', dict(a=[1, float('nan')], b=(np.float64('inf'), 'NaN')), target, stream)
    text = stream.getvalue() if target == '-' else (tmp_path / target).read_text()
    assert json.loads(text) == dict(a=[1, None], b=[None, 'NaN'])
    assert 'NaN,' not in text and 'Infinity' not in text


@pytest.mark.skipif(sys.platform != 'linux', reason='a file of an open stream')
def test_a_stream_that_is_a_file_is_written_itself(tmp_path):
    with (tmp_path / 'a.txt').open('w+') as file:
        write_whole(f'/proc/self/fd/{file.fileno()}', 'text')
        assert file.read() == 'text'
    assert len(list(tmp_path.iterdir())) == 1
